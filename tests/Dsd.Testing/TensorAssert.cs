using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Dsd.Testing;

/// <summary>Comparisons of tensors.</summary>
public static class TensorAssert
{
    /// <summary>Same shape, and no element off by more than <paramref name="tolerance"/> × max(1, the largest reference magnitude).</summary>
    public static void Close(Tensor expected, Tensor actual, double tolerance = 1e-4)
    {
        Assert.Equal(expected.shape, actual.shape);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor reference = expected.cpu().to(ScalarType.Float64);
        Tensor found = actual.cpu().to(ScalarType.Float64);
        double bound = tolerance * Math.Max(1, reference.abs().max().item<double>());
        double error = (reference - found).abs().max().item<double>();
        // A NaN is no number below any bound.
        Assert.True(error <= bound, $"Largest error {error:g4}, allowed {bound:g4}.");
    }

    /// <summary>Same shape and the very same elements.</summary>
    public static void Equal(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor differs = expected.cpu().ne(actual.cpu());
        if (differs.any().item<bool>())
        {
            // How much and how many tells rounding from a mistake.
            Tensor error = (expected.cpu().to(ScalarType.Float64) - actual.cpu().to(ScalarType.Float64)).abs();
            Assert.Fail($"{differs.sum().item<long>()} of {differs.numel()} elements differ, by {error.max().item<double>():g4} at most.");
        }
    }
}
