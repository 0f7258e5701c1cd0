using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class VaeStageTests(BegunModel begun)
{
    private static readonly string DecoderAlone = TinyTrainingTests.Config.Replace("\"decoder_alone\": false", "\"decoder_alone\": true");

    [Fact]
    public void Run_LeavesTheEncoderAndItsScaleWhereTheDecoderAloneLearns()
    {
        using TemporaryFolder folder = new();
        using DisposeScope scope = NewDisposeScope();
        string model = begun.CopyInto(folder);
        string config = File.ReadAllText(Path.Combine(model, "vae", "config.json"));
        Dictionary<string, Tensor> before = Weights(model);
        File.Delete(Path.Combine(model, ".training", "vae.done"));

        TinyTrainingTests.Train(folder, ["vae"], DecoderAlone, out List<string> said);

        Assert.Contains("vae: continues from the weights in the folder, whose encoder stays", said);
        Assert.Equal(config, File.ReadAllText(Path.Combine(model, "vae", "config.json")));
        Dictionary<string, Tensor> after = Weights(model);
        Assert.All(before.Where(w => w.Key.StartsWith("encoder.", StringComparison.Ordinal)), w => Assert.True(w.Value.equal(after[w.Key]).all().item<bool>()));
        Assert.Contains(before, w => w.Key.StartsWith("decoder.", StringComparison.Ordinal) && !w.Value.equal(after[w.Key]).all().item<bool>());
    }

    [Fact]
    public void Run_RefusesToKeepAnEncoderThatIsNotThere()
    {
        using TemporaryFolder folder = new();

        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => TinyTrainingTests.Train(folder, ["vae"], DecoderAlone, out _));

        Assert.Contains("Start from a model with --from, or set it to false", e.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, Tensor> Weights(string model)
    {
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors"));
        return weights.Entries.Keys.ToDictionary(name => name, weights.Read);
    }
}
