using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Families;

/// <summary>What all denoisers in TorchSharp share: the passes of a step are rows of one batch.</summary>
public abstract class TensorDenoiser : IDenoiser<Tensor>
{
    /// <inheritdoc/>
    public IReadOnlyList<Tensor> Velocities(Tensor latents, int step, IReadOnlyList<GuidancePass> passes)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(passes);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor rows = passes.Count == 1 ? latents : latents.repeat(passes.Count, 1, 1); // [passes · batch, tokens, channels]
        Tensor velocities = Velocity(rows, step, passes).to(ScalarType.Float32);
        return [.. velocities.split(latents.shape[0], dim: 0).Select(v => v.MoveToOuterDisposeScope())];
    }

    /// <inheritdoc/>
    public Tensor AddScaled(Tensor x, float scale, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor sum = PlusScaled(x, scale, y);
        x.Dispose();
        return sum.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor PlusScaled(Tensor x, float scale, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return x.to(ScalarType.Float32).Plus(y.Times(scale)).MoveToOuterDisposeScope();
    }

    /// <summary>Frees what the denoiser holds.</summary>
    public abstract void Dispose();

    /// <summary>The velocity of all passes in one step.</summary>
    /// <param name="rows">[passes · batch, tokens, channels], one pass after another.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="passes">What each pass is given.</param>
    protected abstract Tensor Velocity(Tensor rows, int step, IReadOnlyList<GuidancePass> passes);

    /// <summary>The rows of all passes, one pass after another: the prompts' own, or nothing's.</summary>
    /// <param name="passes">The passes.</param>
    /// <param name="prompts">[batch, …].</param>
    /// <param name="empty">[1, …], of the empty prompt; null where all passes have the prompt.</param>
    protected static Tensor Rows(IReadOnlyList<GuidancePass> passes, Tensor prompts, Tensor? empty) =>
        cat([.. passes.Select(p => p.Prompt ? prompts : empty!.expand_as(prompts))], dim: 0);

    /// <summary>The condition of all passes, one pass after another: zeros where a pass, or the batch, has none.</summary>
    /// <returns>[passes · batch, tokens, channels].</returns>
    protected static Tensor Condition(DenoiserInputs<Tensor> inputs, IReadOnlyList<GuidancePass> passes, Device device)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        Canvas canvas = inputs.Canvas;
        return cat([.. passes.Select(p => p.Condition && inputs.Condition is { } given
            ? given
            : zeros(inputs.Prompts.Count, canvas.Tokens, canvas.TokenChannels, device: device))], dim: 0);
    }
}
