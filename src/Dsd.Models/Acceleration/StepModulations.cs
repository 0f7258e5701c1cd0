using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// The shifts, scales and gates of all steps of a generation. The modulations that give them hold a quarter of FLUX's weights, which otherwise would
/// be read in every step for a single vector.
/// </summary>
/// <remarks>A modulation is computed for all steps when the first one needs it. Its weights are needed only then.</remarks>
internal sealed class StepModulations : IDisposable
{
    private readonly Tensor _vec;
    private readonly long _batch;
    private readonly long _steps;
    private readonly bool _keeps;
    private readonly Dictionary<Modulation, Tensor> _all = [];
    private readonly Dictionary<AdaptableLinear, (Tensor Factors, Tensor Bias)> _folded = [];

    /// <summary>Takes the tensor over.</summary>
    /// <param name="vec">What all modulations are computed from, step by step: [steps · batch, width].</param>
    /// <param name="batch">How many rows a step has.</param>
    /// <param name="twice">Whether a single step needs its parts twice, so that those through which no gradient goes are kept.</param>
    public StepModulations(Tensor vec, long batch, bool twice = false)
    {
        _vec = vec.DetachFromDisposeScope();
        (_batch, _steps) = (batch, vec.shape[0] / batch);
        _keeps = _steps > 1 || (twice && !vec.requires_grad);
    }

    /// <summary>What all modulations are computed from: [steps · batch, width].</summary>
    public Tensor Vec => _vec;

    /// <summary>A modulation's parts in a step: [batch, 1, width] each.</summary>
    // With a single step there is most often nothing to keep, and a gradient may be wanted.
    public Tensor[] Parts(Modulation modulation, int step) => modulation.Parts(
        _keeps && (_steps > 1 || modulation.Linear.IsPlain) ? All(modulation).narrow(0, step * _batch, _batch) : modulation.Linear.forward(_vec));

    /// <summary>The same as shift, scale and gate of each sublayer of the block.</summary>
    /// <param name="modulation">The modulation.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="rows">The rows of the batch that are wanted: [rows]; null for all.</param>
    public Modulated[] Of(Modulation modulation, int step, Tensor? rows)
    {
        Tensor[] parts = Parts(modulation, step);
        if (rows is not null)
        {
            parts = [.. parts.Select(p => p.index_select(0, rows))];
        }
        Modulated[] sublayers = new Modulated[parts.Length / 3];
        for (int i = 0; i < sublayers.Length; i++)
        {
            sublayers[i] = new Modulated(parts[3 * i], parts[3 * i + 1], parts[3 * i + 2]) { Folded = Folded(modulation, i, step) };
        }
        return sublayers;
    }

    /// <summary>Frees all of it.</summary>
    public void Dispose()
    {
        _vec.Dispose();
        foreach (Tensor tensor in _all.Values.Concat(_folded.Values.SelectMany(f => new[] { f.Factors, f.Bias })))
        {
            tensor.Dispose();
        }
        _all.Clear();
        _folded.Clear();
    }

    // A layer in eight bits multiplies each output by a factor anyway: for one picture, the gate can be part of it.
    private GatedProduct? Folded(Modulation modulation, int sublayer, int step)
    {
        AdaptableLinear layer = modulation.Gated[sublayer];
        if (!layer.TakesFloat8 || _batch > 1 || _steps == 1 || layer.Weight.device_type != _vec.device_type)
        {
            return null;
        }
        if (!_folded.TryGetValue(layer, out (Tensor Factors, Tensor Bias) all))
        {
            using DisposeScope scope = NewDisposeScope();
            all = GatedProduct.OfSteps(layer, modulation.Parts(All(modulation))[3 * sublayer + 2].squeeze(1)); // [steps, width] each
            all.Factors.DetachFromDisposeScope();
            all.Bias.DetachFromDisposeScope();
            _folded.Add(layer, all);
        }
        return new GatedProduct(all.Factors[step], all.Bias[step]);
    }

    private Tensor All(Modulation modulation)
    {
        if (!_all.TryGetValue(modulation, out Tensor? all))
        {
            all = modulation.Linear.forward(_vec).DetachFromDisposeScope();
            _all.Add(modulation, all);
        }
        return all;
    }
}
