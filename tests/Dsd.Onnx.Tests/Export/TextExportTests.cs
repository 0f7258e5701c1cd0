using Dsd.Models.Lora;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Export;

[Trait("Category", "Parity")]
public class TextExportTests
{
    private const double Tolerance = 1e-4;
    private readonly ModelFolder _folder = ModelFolder.Open(Fixtures.Path("tiny-flux"));

    [Fact]
    public void Clip_GivesTheReferencesStatesAndPooledVectors()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using OnnxModel model = Clip(_folder.ReadConfig<ClipTextConfig>("text_encoder"));

        Tensor[] outputs = model.Run(("input_ids", reference["clip_ids"]));

        TensorAssert.Close(reference["clip_last"], outputs[0], Tolerance);
        TensorAssert.Close(reference["clip_pooled"], outputs[1], Tolerance);
    }

    [Fact]
    public void Clip_WithALora_GivesWhatTheAdaptedEncoderGives()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using TemporaryFolder folder = new();
        Dictionary<string, Tensor> tensors = new() { ["proj_out.lora_A.weight"] = ones(1, 4), ["proj_out.lora_B.weight"] = ones(4, 1) };
        foreach ((string module, int inputs, int outputs) in new[] { ("self_attn.out_proj", 24, 24), ("mlp.fc1", 24, 48), ("mlp.fc2", 48, 24) })
        {
            tensors.Add($"text_encoder.text_model.encoder.layers.1.{module}.lora_A.weight", randn(2, inputs));
            tensors.Add($"text_encoder.text_model.encoder.layers.1.{module}.lora_B.weight", randn(outputs, 2));
        }
        SafetensorsWriter.Write(folder.File("lora.safetensors"), tensors);
        using LoraAdapter adapter = LoraAdapter.Load(folder.File("lora.safetensors"), LoraTextEncoders.Apply);
        using LoraTables tables = LoraTables.Open(new LoraUse(adapter));
        using ClipTextModel clip = ClipTextModel.Load(_folder.ComponentFolder("text_encoder"));
        using IDisposable attached = adapter.Attach(clip, 0.5f);
        using WeightSource source = WeightSource.Open(_folder.ComponentFolder("text_encoder"));
        bool isLegacy = source.Names.Any(n => n.StartsWith(ClipTextExport.LegacyPrefix, StringComparison.Ordinal));
        CheckpointWeights weights = new(source, isLegacy ? ClipTextExport.LegacyPrefix : "", AdapterPart.OfClip((tables, 0.5f)));
        GraphBuilder graph = ClipTextExport.Build(_folder.ReadConfig<ClipTextConfig>("text_encoder"), weights);
        weights.Check(ClipTextExport.Belongs);
        using OnnxModel model = new(graph);

        Tensor pooled = model.Run(("input_ids", reference["clip_ids"]))[1];

        TensorAssert.Close(clip.forward(reference["clip_ids"]).Pooled, pooled, Tolerance);
        Assert.False(reference["clip_pooled"].allclose(pooled));
    }

    [Fact]
    public void Clip_WithTheLegacyEndId_PoolsAtTheLargestId()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using OnnxModel model = Clip(_folder.ReadConfig<ClipTextConfig>("text_encoder") with { EosTokenId = 2 });

        Tensor[] outputs = model.Run(("input_ids", reference["clip_ids"]));

        Tensor places = reference["clip_ids"].argmax(1);
        TensorAssert.Close(outputs[0][arange(places.shape[0]), places], outputs[1], 1e-6);
    }

    [Fact]
    public void Clip_TakesFewerTokensThanItsMost()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        using OnnxModel model = Clip(_folder.ReadConfig<ClipTextConfig>("text_encoder"));

        // Attention looks back only: the first states do not depend on what follows.
        TensorAssert.Close(reference["clip_last"].slice(1, 0, 5, 1), model.Run(("input_ids", reference["clip_ids"].slice(1, 0, 5, 1)))[0], Tolerance);
    }

    [Fact]
    public void T5_GivesTheReferencesStatesOfEveryLength()
    {
        using TensorDictionary reference = Fixtures.Tensors("text.safetensors");
        T5Config config = _folder.ReadConfig<T5Config>("text_encoder_2");
        using WeightSource source = WeightSource.Open(_folder.ComponentFolder("text_encoder_2"));
        CheckpointWeights weights = new(source);
        GraphBuilder graph = T5EncoderExport.Build(config, weights);
        weights.Check(T5EncoderExport.Belongs);
        using OnnxModel model = new(graph);

        string[] lengths = [.. reference.Keys.Where(k => k.StartsWith("t5_ids_", StringComparison.Ordinal)).Select(k => k["t5_ids_".Length..])];
        Assert.NotEmpty(lengths);
        Assert.All(
            lengths, length => TensorAssert.Close(reference[$"t5_last_{length}"], model.Run(("input_ids", reference[$"t5_ids_{length}"]))[0], Tolerance));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-7, 7)]
    [InlineData(7, 16 + 7)]
    [InlineData(-8, 8)]
    [InlineData(-16, 10)]
    [InlineData(-64, 14)]
    [InlineData(-127, 15)]
    [InlineData(-128, 15)]
    [InlineData(500, 31)]
    public void T5_PutsDistancesIntoBuckets(int distance, int bucket) => Assert.Equal(bucket, T5EncoderExport.Bucket(distance, buckets: 32, mostDistance: 128));

    private OnnxModel Clip(ClipTextConfig config)
    {
        using WeightSource source = WeightSource.Open(_folder.ComponentFolder("text_encoder"));
        CheckpointWeights weights = new(source);
        GraphBuilder graph = ClipTextExport.Build(config, weights);
        weights.Check(ClipTextExport.Belongs);
        return new OnnxModel(graph);
    }
}
