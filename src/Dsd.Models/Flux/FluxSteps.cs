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
    private readonly Dictionary<Modulation, Tensor> _modulations = [];

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

    /// <summary>Embedded text: [batch, text, width].</summary>
    public Tensor Words { get; }

    /// <summary>Embedded condition: [batch, image, width]; null for none.</summary>
    public Tensor? Condition { get; }

    /// <summary>Turns of the rotary embedding: [tokens, 1, head / 2], complex.</summary>
    public Tensor Turns { get; }

    /// <summary>How many steps there are.</summary>
    public int Count { get; }

    /// <summary>Shifts, scales and gates of a step: as many tensors [batch, 1, width] as the modulation has parts.</summary>
    public Tensor[] Of(Modulation modulation, int step)
    {
        // A single step needs no memory of it, and may be one that is trained on.
        if (Count == 1)
        {
            return modulation.Parts(modulation.Linear.forward(_steering));
        }
        if (!_modulations.TryGetValue(modulation, out Tensor? all))
        {
            all = modulation.Linear.forward(_steering).DetachFromDisposeScope();
            _modulations.Add(modulation, all);
        }
        return modulation.Parts(all.narrow(0, step * _batch, _batch));
    }

    /// <summary>Frees all of it.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in new[] { Words, Turns, _steering }.Concat(_modulations.Values))
        {
            tensor.Dispose();
        }
        Condition?.Dispose();
        _modulations.Clear();
    }
}
