using Dsd.Lab.Training;
using Dsd.Models.Layers;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class StackedFactorsTests : IDisposable
{
    private readonly StackedFactors _factors = New();

    public void Dispose()
    {
        _factors.A.Dispose();
        _factors.B.Dispose();
    }

    [Fact]
    public void EachShare_GetsItsOwnFactors()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using AdaptableLinear layer = new(10, 6);
        layer.InitializeZero();
        layer.Adapters.Add(_factors);
        Tensor x = randn(8, 5, 10);

        Tensor y = layer.forward(x);

        for (int i = 0; i < 4; i++)
        {
            Tensor expected = x.narrow(0, 2 * i, 2).matmul(_factors.A[i].t()).matmul(_factors.B[i].t());
            TensorAssert.Close(expected, y.narrow(0, 2 * i, 2), 1e-5);
        }
    }

    [Fact]
    public void TwoParts_GiveTheSameAsBothSideBySide()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor y, Tensor first, Tensor second) = (randn(20, 6), randn(20, 3), randn(20, 7));

        TensorAssert.Close(_factors.AddTo(y, cat([first, second], dim: 1)), _factors.AddTo(y, first, second), 1e-5);
    }

    [Fact]
    public void TwoParts_GetAGradientOfTheirOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor first, Tensor second) = (randn(20, 3, requires_grad: true), randn(20, 7, requires_grad: true));

        IList<Tensor> gradients = autograd.grad([_factors.AddTo(zeros(20, 6), first, second).square().sum()], [first, second]);

        // A slice of a gradient of both would not do: ILinearAdapter says so.
        Assert.All(gradients, gradient => Assert.True(gradient.is_contiguous()));
    }

    private static StackedFactors New()
    {
        using Generator generator = new(1);
        return new StackedFactors(new(randn(4, 2, 10, generator: generator)), new(randn(4, 6, 2, generator: generator)));
    }
}
