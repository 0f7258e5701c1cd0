namespace Dsd.Models.Sampling;

/// <summary>
/// Predicts velocities for a batch, and does the little arithmetic between two steps where the latents lie: what a backend and a model add to sampling.
/// The loop, guidance and schedule are <c>Sampler</c>'s.
/// </summary>
/// <typeparam name="T">The backend's tensors. They may lie on a device.</typeparam>
public interface IDenoiser<T> : IDisposable
    where T : class, IDisposable
{
    /// <summary>The velocities of latents in a step, one for each pass: each of the latents' shape, in 32 bits, and the caller's to dispose.</summary>
    /// <param name="latents">[batch, tokens, channels]. They stay as they are.</param>
    /// <param name="step">The step, from 0. Steps may come in any order.</param>
    /// <param name="passes">What each pass is given.</param>
    IReadOnlyList<T> Velocities(T latents, int step, IReadOnlyList<GuidancePass> passes);

    /// <summary><c>x + scale · y</c>. x is used up: it is either changed and returned, or disposed.</summary>
    T AddScaled(T x, float scale, T y);

    /// <summary><c>x + scale · y</c> as a tensor of its own, the caller's to dispose. x stays as it is.</summary>
    T PlusScaled(T x, float scale, T y);
}
