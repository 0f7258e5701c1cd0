using Dsd.Common.Files;
using Dsd.Models.Benchmark;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Benchmark;

public sealed class RandomModelTests
{
    private static readonly RandomModelShape Small = new()
    {
        Transformer = FluxConfig.Dev with { Conditional = true, NumLayers = 1, NumSingleLayers = 1, NumAttentionHeads = 1, JointAttentionDim = 64 },
        Clip = RandomModelShape.Dev.Clip with { NumHiddenLayers = 1 },
        T5 = RandomModelShape.Dev.T5 with { DModel = 64, DFf = 128, NumLayers = 1, NumHeads = 2 },
        Vae = RandomModelShape.Dev.Vae with { BlockOutChannels = [32, 32], LayersPerBlock = 1 },
    };

    private static readonly string Like = Fixtures.Own("tiny-flux");

    [Fact]
    public void AModel_IsTheSameEachTime_AndItsNumbersAreAsLayersWantThem()
    {
        using TemporaryFolder temporary = new();

        RandomModel.Write(temporary.File("one"), Small, Like);
        RandomModel.Write(temporary.File("two"), Small, Like);

        string[] files = Directory.GetFiles(temporary.File("one"), "*", SearchOption.AllDirectories);
        Assert.Equal(4, files.Count(f => f.EndsWith(".safetensors", StringComparison.Ordinal)));
        Assert.All(files, f => Assert.Equal(
            FileHash.Of(f), FileHash.Of(Path.Combine(temporary.File("two"), Path.GetRelativePath(temporary.File("one"), f)))));
        using WeightSource weights = WeightSource.Open(temporary.File("one", "transformer"));
        using DisposeScope scope = NewDisposeScope();
        Tensor wide = weights.Read("single_transformer_blocks.0.proj_mlp.weight");
        Assert.Equal(ScalarType.BFloat16, wide.dtype);
        Assert.Equal(0.5 / Math.Sqrt(128), wide.to(ScalarType.Float32).std().item<float>(), 3);
        Assert.Equal(1, weights.Read("single_transformer_blocks.0.attn.norm_q.weight").to(ScalarType.Float32).mean().item<float>(), 0.05);
        Assert.Equal(0, weights.Read("single_transformer_blocks.0.proj_mlp.bias").to(ScalarType.Float32).mean().item<float>(), 0.01);
    }

    [Fact]
    public void AModel_Loads()
    {
        using TemporaryFolder temporary = new();
        RandomModel.Write(temporary.File("model"), Small, Like);

        using DiffusionModel model = DiffusionModel.LoadConditional(temporary.File("model"));

        Assert.True(model.TakesGuidance);
    }

    [Fact]
    public void AModel_IsNotWrittenOverOtherFiles_AndLeavesNothingWhenCancelled()
    {
        using TemporaryFolder temporary = new();
        File.WriteAllText(temporary.File("letter.txt"), "dear");

        Assert.Throws<IOException>(() => RandomModel.Write(temporary.Path, Small, Like));
        Assert.Throws<OperationCanceledException>(() => RandomModel.Write(temporary.File("model"), Small, Like, new CancellationToken(canceled: true)));

        Assert.Equal(["letter.txt"], Directory.EnumerateFileSystemEntries(temporary.Path).Select(Path.GetFileName));
    }
}
