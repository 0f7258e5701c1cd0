<<<<<<< HEAD:tests/Dsd.Lab.Tests/Training/StackedFactorsTests.cs
using Dsd.Lab.Training;
using Dsd.Models.Layers;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class StackedFactorsTests
{
    private static readonly StackedFactors Factors = New();
=======
using Dsd.Models.Layers;
using Dsd.Testing;
using Dsd.Tiny.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class StackedFactorsTests : IDisposable
{
    private readonly StackedFactors _factors = New();

    public void Dispose()
    {
        _factors.A.Dispose();
        _factors.B.Dispose();
    }
>>>>>>> h2:tests/Dsd.Tiny.Tests/Training/StackedFactorsTests.cs

    [Fact]
    public void EachShare_GetsItsOwnFactors()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using AdaptableLinear layer = new(10, 6);
        layer.InitializeZero();
<<<<<<< HEAD:tests/Dsd.Lab.Tests/Training/StackedFactorsTests.cs
        layer.Adapters.Add(Factors);
=======
        layer.Adapters.Add(_factors);
>>>>>>> h2:tests/Dsd.Tiny.Tests/Training/StackedFactorsTests.cs
        Tensor x = randn(8, 5, 10);

        Tensor y = layer.forward(x);

        for (int i = 0; i < 4; i++)
        {
<<<<<<< HEAD:tests/Dsd.Lab.Tests/Training/StackedFactorsTests.cs
            Tensor expected = x.narrow(0, 2 * i, 2).matmul(Factors.A[i].t()).matmul(Factors.B[i].t());
=======
            Tensor expected = x.narrow(0, 2 * i, 2).matmul(_factors.A[i].t()).matmul(_factors.B[i].t());
>>>>>>> h2:tests/Dsd.Tiny.Tests/Training/StackedFactorsTests.cs
            TensorAssert.Close(expected, y.narrow(0, 2 * i, 2), 1e-5);
        }
    }

    [Fact]
    public void TwoParts_GiveTheSameAsBothSideBySide()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor y, Tensor first, Tensor second) = (randn(20, 6), randn(20, 3), randn(20, 7));

<<<<<<< HEAD:tests/Dsd.Lab.Tests/Training/StackedFactorsTests.cs
        TensorAssert.Close(Factors.AddTo(y, cat([first, second], dim: 1)), Factors.AddTo(y, first, second), 1e-5);
=======
        TensorAssert.Close(_factors.AddTo(y, cat([first, second], dim: 1)), _factors.AddTo(y, first, second), 1e-5);
>>>>>>> h2:tests/Dsd.Tiny.Tests/Training/StackedFactorsTests.cs
    }

    [Fact]
    public void TwoParts_GetAGradientOfTheirOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor first, Tensor second) = (randn(20, 3, requires_grad: true), randn(20, 7, requires_grad: true));

<<<<<<< HEAD:tests/Dsd.Lab.Tests/Training/StackedFactorsTests.cs
        IList<Tensor> gradients = autograd.grad([Factors.AddTo(zeros(20, 6), first, second).square().sum()], [first, second]);
=======
        IList<Tensor> gradients = autograd.grad([_factors.AddTo(zeros(20, 6), first, second).square().sum()], [first, second]);
>>>>>>> h2:tests/Dsd.Tiny.Tests/Training/StackedFactorsTests.cs

        // A slice of a gradient of both would not do: ILinearAdapter says so.
        Assert.All(gradients, gradient => Assert.True(gradient.is_contiguous()));
    }

    private static StackedFactors New()
    {
        using Generator generator = new(1);
        return new StackedFactors(new(randn(4, 2, 10, generator: generator)), new(randn(4, 6, 2, generator: generator)));
    }
}
