using Dsd.Models.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// What the steps of one generation share, computed once: the embedded words and condition, the turns of the rotary embedding, and what the modulations make of
/// noise level, guidance and pooled prompt. The modulations hold a quarter of FLUX's weights, which otherwise would be read for a single vector in every step.
/// </summary>
/// <remarks>A modulation is asked for all steps when the first one needs it, so that its weights have to be at hand only then.</remarks>
internal sealed class FluxSteps : IDisposable
{
    private readonly Tensor _steering;
    private readonly long _batch;
    private readonly FluxSteps? _whole;
    private readonly Tensor? _rows;
    private readonly Dictionary<Modulation, Tensor> _modulations = [];
    private readonly Dictionary<(Modulation, int), (Tensor Factors, Tensor Bias)> _gated = [];

    /// <summary>Takes the tensors over.</summary>
    /// <param name="words">Embedded text: [batch, text, width].</param>
    /// <param name="condition">Embedded condition: [batch, image, width]; null for none.</param>
    /// <param name="turns">Of the rotary embedding: [tokens, 1, head / 2], complex.</param>
    /// <param name="steering">SiLU of the embedded noise level, guidance and pooled prompt, step by step: [steps · batch, width].</param>
    public FluxSteps(Tensor words, Tensor? condition, Tensor turns, Tensor steering)
    {
        (Words, Condition, Turns, _steering) = (words, condition, turns, steering);
        _batch = words.shape[0];
        Count = (int)(steering.shape[0] / _batch);
    }

    // Some rows of a batch. It owns nothing but their numbers.
    private FluxSteps(FluxSteps whole, Tensor rows)
    {
        (_whole, _rows, _batch, Count) = (whole, rows, rows.shape[0], whole.Count);
        (Words, Condition, Turns, _steering) = (whole.Words, whole.Condition, whole.Turns, whole._steering);
    }

    /// <summary>Leaves out blocks where little changes; null computes them all.</summary>
    public FirstBlockCache? Cache { get; init; }

    /// <summary>Embedded text: [batch, text, width].</summary>
    public Tensor Words { get; }

    /// <summary>Embedded condition: [batch, image, width]; null for none.</summary>
    public Tensor? Condition { get; }

    /// <summary>Turns of the rotary embedding: [tokens, 1, head / 2], complex.</summary>
    public Tensor Turns { get; }

    /// <summary>How many steps there are.</summary>
    public int Count { get; }

    /// <summary>What some rows of the batch share, whose modulations alone differ: for their blocks. It lives no longer than the whole, and is not disposed.</summary>
    public FluxSteps Only(Tensor rows) => new(this, rows);

    /// <summary>Shifts, scales and gates of a step: as many tensors [batch, 1, width] as the modulation has parts.</summary>
    public Tensor[] Of(Modulation modulation, int step)
    {
        if (_whole is not null)
        {
            return [.. _whole.Of(modulation, step).Select(part => part.index_select(0, _rows!))];
        }
        // A single step needs no memory of it, and may be one that is trained on.
        return Count == 1
            ? modulation.Parts(modulation.Linear.forward(_steering))
            : modulation.Parts(All(modulation).narrow(0, step * _batch, _batch));
    }

    /// <summary><c>x + gate · layer(made)</c>, by one product where the layer's weights are in eight bits and there is one picture.</summary>
    /// <param name="x">[batch, tokens, width].</param>
    /// <param name="modulation">Whose gate it is.</param>
    /// <param name="part">Which of its parts is the gate.</param>
    /// <param name="step">Of which step.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="made">What it takes: [batch, tokens, inputs].</param>
    public Tensor Add(Tensor x, Modulation modulation, int part, int step, AdaptableLinear layer, Activation made)
    {
        if (!layer.TakesFloat8 || _batch > 1 || Count == 1 || _whole is not null)
        {
            return Modulation.Add(x, Of(modulation, step)[part], layer.forward(made));
        }
        if (!_gated.TryGetValue((modulation, part), out (Tensor Factors, Tensor Bias) all))
        {
            using DisposeScope scope = NewDisposeScope();
            all = layer.Gated(modulation.Parts(All(modulation))[part].squeeze(1));
            all.Factors.DetachFromDisposeScope();
            all.Bias.DetachFromDisposeScope();
            _gated.Add((modulation, part), all);
        }
        return layer.AddTo(x, (all.Factors[step], all.Bias[step]), made);
    }

    private Tensor All(Modulation modulation)
    {
        if (!_modulations.TryGetValue(modulation, out Tensor? all))
        {
            all = modulation.Linear.forward(_steering).DetachFromDisposeScope();
            _modulations.Add(modulation, all);
        }
        return all;
    }

    /// <summary>Frees all of it.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in new[] { Words, Turns, _steering }.Concat(_modulations.Values))
        {
            tensor.Dispose();
        }
        Condition?.Dispose();
        Cache?.Dispose();
        _modulations.Clear();
        foreach ((Tensor factors, Tensor bias) in _gated.Values)
        {
            factors.Dispose();
            bias.Dispose();
        }
        _gated.Clear();
    }
}
