using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Parallel;

/// <summary>
/// Averages gradients over a group: all that are complete in one exchange, and those of a block while the way back goes on with the blocks before it.
/// </summary>
/// <param name="parameters">The same in all processes, in the same order.</param>
/// <param name="names">Their names; null where nothing is exchanged before the way back is over.</param>
/// <param name="group">The processes.</param>
internal sealed class GradientBuckets(IReadOnlyList<Parameter> parameters, IReadOnlyList<string>? names, TrainingGroup group)
{
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
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        group.BeginAllReduce([.. Remaining(own).Select(i => GradientOf(parameters[i]))]);
    }

    /// <summary>Averages all other gradients. A gradient that is missing counts as zeros.</summary>
    public void End()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (Parameter Parameter, Tensor Gradient)[] all = [.. Remaining(Enumerable.Range(0, parameters.Count)).Select(i =>
        {
            Tensor gradient = GradientOf(parameters[i]);
            return (parameters[i], gradient.dtype == ScalarType.Float32 ? gradient : gradient.to(ScalarType.Float32));
        })];
        group.AllReduce([.. all.Select(a => a.Gradient)]);
        group.EndAllReduces();
        foreach ((Parameter parameter, Tensor gradient) in all.Where(a => a.Parameter.dtype != ScalarType.Float32))
        {
            parameter.grad = gradient.to(parameter.dtype);
        }
        Array.Clear(_begun);
    }

    private int[] Remaining(IEnumerable<int> which)
    {
        int[] remaining = [.. which.Where(i => !_begun[i])];
        foreach (int i in remaining)
        {
            _begun[i] = true;
        }
        return remaining;
    }

    private static Tensor GradientOf(Parameter parameter)
    {
        if (parameter.grad is { } gradient && gradient.is_contiguous())
        {
            return gradient;
        }
        // What is exchanged is exchanged in place, end to end.
        Tensor own = parameter.grad?.contiguous() ?? zeros_like(parameter);
        parameter.grad = own;
        return own;
    }
}
