using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Layers;

public class AdaptableLinearTests
{
    [Theory]
    [InlineData("own weights")]
    [InlineData("adapter")]
    [InlineData("stacked adapters")]
    [InlineData("replacement")]
    public void Forward_OfTwoParts_EqualsThatOfBothSideBySide(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using AdaptableLinear layer = New(kind);
        (Tensor first, Tensor second) = (randn(4, 5, 3), randn(4, 5, 7));

        TensorAssert.Close(layer.forward(cat([first, second], dim: -1)), layer.forward(new Activation(first, second)), 1e-5);
    }

    [Theory]
    [InlineData("own weights")]
    [InlineData("adapter")]
    [InlineData("stacked adapters")]
    [InlineData("replacement")]
    public void Forward_OfTwoParts_GivesEachAGradientOfItsOwn(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using AdaptableLinear layer = New(kind);
        Tensor first = randn(4, 5, 3, requires_grad: true);
        Tensor second = randn(4, 5, 7, requires_grad: true);

        IList<Tensor> gradients = autograd.grad([layer.forward(new Activation(first, second)).square().sum()], [first, second]);

        // A slice of a gradient of both would not do: see Heads.Attend.
        Assert.All(gradients, gradient => Assert.True(gradient.is_contiguous()));
    }

    private static AdaptableLinear New(string kind)
    {
        random.manual_seed(1);
        AdaptableLinear layer = new(10, 6, CPU, ScalarType.Float32);
        using Generator generator = new(1);
        layer.Initialize(generator);
        switch (kind)
        {
            case "adapter":
                layer.Adapters.Add(new LoraPair(new Parameter(randn(2, 10)), new Parameter(randn(6, 2)), 0.5f));
                break;
            case "stacked adapters":
                layer.Adapters.Add(new LoraPair(new Parameter(randn(4, 2, 10)), new Parameter(randn(4, 6, 2)), 0.5f));
                break;
            case "replacement":
                layer.Replacement = new WholeLinear(new Parameter(randn(6, 10)), new Parameter(randn(6)));
                break;
        }
        return layer;
    }
}
