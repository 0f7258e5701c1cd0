using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Parallel;

/// <summary>Averages gradients over a group: many small ones laid end to end in each exchange, since an exchange costs time however small it is.</summary>
/// <remarks>It is done after the backward pass. To begin with the last layers' while the backward pass goes on would hide most of its time.</remarks>
internal static class GradientBuckets
{
    private const long Longest = 8L << 20; // numbers, 32 MB

    /// <summary>Replaces the parameters' gradients by their means over the group; one that is missing counts as zeros.</summary>
    /// <param name="parameters">The same in all processes, in the same order.</param>
    /// <param name="group">The processes.</param>
    /// <param name="longest">Numbers in an exchange, unless one gradient has more.</param>
    public static void Average(IReadOnlyList<Parameter> parameters, TrainingGroup group, long longest = Longest)
    {
        using IDisposable noGrad = no_grad();
        for (int first = 0; first < parameters.Count;)
        {
            int next = first;
            long length = 0;
            do
            {
                length += parameters[next++].numel();
            }
            while (next < parameters.Count && length + parameters[next].numel() <= longest);
            using DisposeScope scope = NewDisposeScope();
            Tensor[] gradients = [.. Enumerable.Range(first, next - first).Select(i => GradientOf(parameters[i]))];
            if (gradients is [{ dtype: ScalarType.Float32 } only] && only.is_contiguous())
            {
                group.AllReduce(only);
            }
            else
            {
                Tensor flat = cat([.. gradients.Select(g => g.reshape(-1).to(ScalarType.Float32))]);
                group.AllReduce(flat);
                long start = 0;
                for (int i = 0; i < gradients.Length; i++)
                {
                    Tensor mean = flat.narrow(0, start, gradients[i].numel()).view(gradients[i].shape);
                    // A part of the bucket becomes the gradient: nothing is copied back, and the old one is freed.
                    parameters[first + i].grad = gradients[i].dtype == ScalarType.Float32 ? mean : mean.to(gradients[i].dtype);
                    start += gradients[i].numel();
                }
            }
            first = next;
        }
    }

    private static Tensor GradientOf(Parameter parameter)
    {
        if (parameter.grad is not { } gradient)
        {
            parameter.grad = gradient = zeros_like(parameter);
        }
        return gradient;
    }
}
