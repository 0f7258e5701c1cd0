using Dsd.Models.Autoencoder;
using Dsd.Models.Benchmark;
using Dsd.Models.Flux;
using Dsd.Models.Residency;
using Dsd.Models.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests;

/// <summary>
/// Names and shapes of the published models, built without memory for their weights, against lists that were looked over and their published
/// numbers of parameters.
/// </summary>
public sealed class PublishedShapesTests
{
    private static readonly Device Nowhere = new(DeviceType.META);

    public static TheoryData<string, long> Models => new()
    {
        { "flux1-dev", 11_901_408_320 },
        { "flux1-schnell", 11_891_178_560 },
        { "dsd", 11_901_608_000 },
        { "vae", 83_819_683 },
        { "t5-xxl-encoder", 4_762_310_656 },
        { "clip-l-text", 123_060_480 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void TheModel_HasTheNamesShapesAndParametersOfThePublishedOne(string model, long parameters)
    {
        using DisposeScope scope = NewDisposeScope();
        using nn.Module built = Build(model);
        Dictionary<string, Tensor> tensors = built.state_dict();

        string[] found = [.. tensors.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key} [{string.Join(", ", t.Value.shape)}]")];
        string approved = Path.Combine(AppContext.BaseDirectory, "Published", $"{model}.txt");
        string received = Path.ChangeExtension(approved, ".received.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(received)!);
        File.WriteAllLines(received, found);

        Assert.All(tensors.Values, t => Assert.Equal(DeviceType.META, t.device_type));
        Assert.Equal(parameters, built.parameters().Sum(p => p.numel()));
        Assert.True(File.Exists(approved), $"There is no list for {model}. What was found is in {received}.");
        Assert.Equal(File.ReadAllLines(approved), found);
    }

    private static nn.Module Build(string model) => model switch
    {
        "flux1-dev" => new FluxTransformer(FluxConfig.Dev, new WeightPlaces(Nowhere, Nowhere), ScalarType.BFloat16),
        "flux1-schnell" => new FluxTransformer(FluxConfig.Dev with { GuidanceEmbeds = false }, new WeightPlaces(Nowhere, Nowhere), ScalarType.BFloat16),
        "dsd" => new FluxTransformer(FluxConfig.Dev with { Conditional = true }, new WeightPlaces(Nowhere, Nowhere), ScalarType.BFloat16),
        "vae" => new AutoencoderKL(RandomModelShape.Dev.Vae, Nowhere, ScalarType.BFloat16),
        "t5-xxl-encoder" => T5Encoder.Uninitialized(RandomModelShape.Dev.T5, Nowhere, ScalarType.BFloat16),
        _ => ClipTextModel.Uninitialized(RandomModelShape.Dev.Clip, Nowhere, ScalarType.Float16),
    };
}
