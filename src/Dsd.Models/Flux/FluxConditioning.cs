using Dsd.Models.Acceleration;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// All that the latents have no part in, computed once for the steps of a generation: embedded text and condition, the rotary embedding,
/// and what the modulations make of noise level, guidance and pooled prompt.
/// </summary>
internal sealed class FluxConditioning : IDisposable
{
    private readonly FirstBlockCache? _cache;

    /// <summary>Takes the tensors over.</summary>
    /// <param name="text">Embedded text: [batch, text, width].</param>
    /// <param name="condition">Embedded condition: [batch, image, width]; null for none.</param>
    /// <param name="rotary">Rotary embedding: [tokens, 1, head / 2], complex.</param>
    /// <param name="vec">SiLU of the embedded noise level, guidance and pooled prompt, step by step: [steps · batch, width].</param>
    /// <param name="blockCache">Threshold of a <see cref="FirstBlockCache"/>; 0 for none.</param>
    public FluxConditioning(Tensor text, Tensor? condition, Tensor rotary, Tensor vec, float blockCache = 0)
    {
        (Text, Condition, Rotary) = (text.DetachFromDisposeScope(), condition?.DetachFromDisposeScope(), rotary.DetachFromDisposeScope());
        Modulations = new StepModulations(vec, text.shape[0]);
        _cache = blockCache > 0 ? new FirstBlockCache(blockCache) : null;
    }

    /// <summary>Embedded text: [batch, text, width].</summary>
    public Tensor Text { get; }

    /// <summary>Embedded condition: [batch, image, width]; null for none.</summary>
    public Tensor? Condition { get; }

    /// <summary>Rotary embedding: [tokens, 1, head / 2], complex.</summary>
    public Tensor Rotary { get; }

    /// <summary>Shifts, scales and gates of all steps.</summary>
    public StepModulations Modulations { get; }

    /// <summary>How many rows of all steps went through all blocks, and how many through the first alone; null without a cache.</summary>
    public (int Computed, int LeftOut)? CacheCount => _cache is { } cache ? (cache.Computed, cache.LeftOut) : null;

    /// <summary>One step's way through the blocks.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="tape">Keeps inputs of blocks in place of their graphs; null where graphs are kept, or no gradient is wanted.</param>
    public FluxPass Pass(int step, FluxTape? tape = null) => new(tape?.Modulations ?? Modulations, Rotary, step, _cache, tape);

    /// <summary>Frees all of it.</summary>
    public void Dispose()
    {
        Text.Dispose();
        Condition?.Dispose();
        Rotary.Dispose();
        Modulations.Dispose();
        _cache?.Dispose();
    }
}
