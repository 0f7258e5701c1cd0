using Dsd.Models.Flux;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>A model that draws one frame and is given a reference in a way of its own.</summary>
internal abstract class ReferenceNetwork(FluxModel model) : IDisposable
{
    /// <summary>The model beneath, whose own weights do not change. Owned.</summary>
    public FluxModel Model { get; } = model;

    /// <summary>What learns, in an order that is the same in every process.</summary>
    public abstract IEnumerable<Parameter> Parameters { get; }

    /// <summary>The velocity of one frame [batch, tokens, channels].</summary>
    /// <param name="latents">Noisy latents [batch, tokens, channels].</param>
    /// <param name="reference">The reference's latents, packed alike.</param>
    /// <param name="given">Whether an item is given its reference: booleans [batch, 1, 1].</param>
    /// <param name="text">T5's output [batch, tokens, channels].</param>
    /// <param name="pooled">CLIP's output [batch, channels].</param>
    /// <param name="sigma">Noise levels [batch].</param>
    /// <param name="guidance">The distilled guidance.</param>
    public abstract Tensor Velocity(Tensor latents, Tensor reference, Tensor given, Tensor text, Tensor pooled, Tensor sigma, float guidance);

    /// <summary>Writes what was learned.</summary>
    public abstract void Save(string file);

    /// <inheritdoc/>
    public virtual void Dispose() => Model.Dispose();
}
