using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Native;

public sealed class OneDnnTests
{
    [Theory]
    [InlineData(24, 24, 96, 192)] // the embedded autoencoder's first level: channels that do not fill a vector of sixteen
    [InlineData(17, 17, 64, 64)]
    [InlineData(32, 32, 48, 48)]
    public void Convolutions_OfAnyNumberOfChannels_AreRight(int inChannels, int outChannels, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(7);
        Tensor x = randn([1, inChannels, height, width], generator: generator);
        Tensor weight = randn([outChannels, inChannels, 3, 3], generator: generator) * 0.1;
        Tensor bias = randn([outChannels], generator: generator);

        Tensor found = nn.functional.conv2d(x, weight, bias, padding: [1, 1]);

        Tensor expected = nn.functional.conv2d(x.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), padding: [1, 1]);
        Assert.InRange((found.to(ScalarType.Float64) - expected).abs().max().item<double>(), 0, 1e-4);
    }

    [Theory]
    [InlineData("AuthenticAMD", 0, true)]
    [InlineData("AuthenticAMD", 0x121, false)]
    [InlineData("GenuineIntel", 0, false)]
    public void OnlyProcessorsThatHideTheirCaches_AreLimited(string vendor, int firstCache, bool wrong) =>
        Assert.Equal(wrong, OneDnn.IsWrongOn(vendor, firstCache));
}
