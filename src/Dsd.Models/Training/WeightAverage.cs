using Dsd.Models.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>
/// A moving average of an optimiser's weights, in float32 in the host's memory: it takes none on the device, and time for a copy at each step.
/// </summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly Optimizer _optimizer;
    private readonly Tensor[] _averages;

    /// <summary>An average that begins with the weights as they are.</summary>
    public WeightAverage(Optimizer optimizer)
    {
        using DisposeScope scope = NewDisposeScope();
        _optimizer = optimizer;
        _averages = [.. optimizer.Weights.Select(w => w.to(CPU, copy: true).DetachFromDisposeScope())];
    }

    /// <summary>One flat tensor for each parameter; they belong to this object.</summary>
    public IReadOnlyList<Tensor> Weights => _averages;

    /// <summary>Moves towards the weights as they are now.</summary>
    /// <param name="keep">The share of the average that stays.</param>
    public void Add(double keep)
    {
        using IDisposable noGrad = no_grad();
        for (int i = 0; i < _averages.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            _averages[i].lerp_(_optimizer.Weights[i].cpu(), 1 - keep);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _averages)
        {
            tensor.Dispose();
        }
    }
}
