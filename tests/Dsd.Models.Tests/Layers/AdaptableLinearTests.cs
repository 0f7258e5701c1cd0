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
    [InlineData("adapter of another kind")]
    [InlineData("replacement")]
    public void Forward_OfTwoParts_EqualsThatOfBothSideBySide(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using AdaptableLinear layer = New(kind);
        (Tensor first, Tensor second) = (randn(4, 5, 3), randn(4, 5, 7));

        TensorAssert.Close(layer.forward(cat([first, second], dim: -1)), FastLinear.Forward(layer, new Activation(first, second)), 1e-5);
    }

    [Theory]
    [InlineData("own weights")]
    [InlineData("adapter")]
    [InlineData("adapter of another kind")]
    [InlineData("replacement")]
    public void Forward_OfTwoParts_GivesEachAGradientOfItsOwn(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using AdaptableLinear layer = New(kind);
        Tensor first = randn(4, 5, 3, requires_grad: true);
        Tensor second = randn(4, 5, 7, requires_grad: true);

        IList<Tensor> gradients = autograd.grad([FastLinear.Forward(layer, new Activation(first, second)).square().sum()], [first, second]);

        // A slice of a gradient of both would not do: see Heads.Attend.
        Assert.All(gradients, gradient => Assert.True(gradient.is_contiguous()));
    }

    [Fact]
    public void Forward_AddsAdaptersInTheirOrder()
    {
        using DisposeScope scope = NewDisposeScope();
        using AdaptableLinear layer = New("own weights");
        Tensor x = randn(4, 5, 10);
        Tensor plain = layer.forward(x);
        Tensor tenth = x.narrow(-1, 9, 1);

        layer.Adapters.Add(new Last());
        layer.Adapters.Add(new Doubling());

        TensorAssert.Close(2 * (plain + tenth), layer.forward(x), 1e-5);
        layer.Adapters.Clear();
        TensorAssert.Equal(plain, layer.forward(x));
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
            case "adapter of another kind":
                layer.Adapters.Add(new Last());
                break;
            case "replacement":
                layer.Replacement = new WholeLinear(new Parameter(randn(6, 10)), new Parameter(randn(6)));
                break;
        }
        return layer;
    }

    /// <summary>Adds the input's last channel to every output.</summary>
    private sealed class Last : ILinearAdapter
    {
        public Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null)
        {
            Tensor last = beside ?? x;
            return y + last.narrow(1, last.shape[1] - 1, 1);
        }
    }

    /// <summary>Adds what is there already.</summary>
    private sealed class Doubling : ILinearAdapter
    {
        public Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null) => y * 2;
    }
}
