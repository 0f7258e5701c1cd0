using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Parallel;

/// <summary>
/// Averages gradients over a group: many small ones laid end to end in each exchange, since an exchange costs time however small it is, and those of a block
/// while the way back goes on with the blocks before it.
/// </summary>
/// <param name="parameters">The same in all processes, in the same order.</param>
/// <param name="names">Their names; null where nothing is exchanged before the way back is over.</param>
/// <param name="group">The processes.</param>
/// <param name="longest">Numbers in an exchange, unless one gradient has more.</param>
internal sealed class GradientBuckets(
    IReadOnlyList<Parameter> parameters, IReadOnlyList<string>? names, TrainingGroup group, long longest = GradientBuckets.Longest)
{
    private const long Longest = 8L << 20; // numbers, 32 MB

    private readonly bool[] _begun = new bool[parameters.Count];
    private readonly Dictionary<string, int[]> _blocks = new(StringComparer.Ordinal);

    /// <summary>
    /// Begins to average the gradients of a block, which are complete. All processes do so for the same blocks in the same order. Until <see cref="End"/>
    /// nobody may read or change them.
    /// </summary>
    /// <param name="block">The block, whose name with a point is how its parameters' names begin.</param>
    public void Begin(string block)
    {
        if (!_blocks.TryGetValue(block, out int[]? own))
        {
            // Other types are averaged in single precision and then converted, which would have to wait.
            own = names is null ? [] : [.. names.Index().Where(n => n.Item.StartsWith($"{block}.", StringComparison.Ordinal)).Select(n => n.Index)
                .Where(i => parameters[i].dtype == ScalarType.Float32)];
            _blocks.Add(block, own);
        }
        Average([.. own.Where(i => !_begun[i])], group.BeginAllReduce);
    }

    /// <summary>Averages all other gradients. A gradient that is missing counts as zeros.</summary>
    public void End()
    {
        Average([.. Enumerable.Range(0, parameters.Count).Where(i => !_begun[i])], group.AllReduce);
        group.EndAllReduces();
        Array.Clear(_begun);
    }

    private void Average(IReadOnlyList<int> which, Action<Tensor> reduce)
    {
        using IDisposable noGrad = no_grad();
        for (int first = 0; first < which.Count;)
        {
            int next = first;
            long length = 0;
            do
            {
                _begun[which[next]] = true;
                length += parameters[which[next++]].numel();
            }
            while (next < which.Count && length + parameters[which[next]].numel() <= longest);
            using DisposeScope scope = NewDisposeScope();
            Tensor[] gradients = [.. which.Skip(first).Take(next - first).Select(i => GradientOf(parameters[i]))];
            if (gradients is [{ dtype: ScalarType.Float32 } only] && only.is_contiguous())
            {
                reduce(only);
            }
            else
            {
                Tensor flat = cat([.. gradients.Select(g => g.reshape(-1).to(ScalarType.Float32))]);
                reduce(flat);
                long start = 0;
                for (int i = 0; i < gradients.Length; i++)
                {
                    Tensor mean = flat.narrow(0, start, gradients[i].numel()).view(gradients[i].shape);
                    // A part of the bucket becomes the gradient: nothing is copied back, and the old one is freed.
                    parameters[which[first + i]].grad = gradients[i].dtype == ScalarType.Float32 ? mean : mean.to(gradients[i].dtype);
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
