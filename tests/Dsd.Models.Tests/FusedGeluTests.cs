using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests;

public sealed class FusedGeluTests
{
    [Fact]
    public void Apply_IsGeluOfTheLinearLayer()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = randn(6, 4);
        Tensor weight = randn(5, 4);
        Tensor bias = randn(5);

        // On the CPU the two forms of GELU differ by less than a thousandth.
        Assert.True(FusedGelu.Apply(x, weight, bias).allclose(nn.functional.gelu(nn.functional.linear(x, weight, bias)), rtol: 0, atol: 2e-3));
    }
}
