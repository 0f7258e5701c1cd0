using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>What latents a sampling loop starts from, and who looks at them on the way.</summary>
public sealed record LatentOptions
{
    /// <summary>
    /// Latents [batch, tokens, channels] at the first sigma, which is pure noise, in place of those that the seeds give. They stay the caller's and as they are. Null, the default: from the seeds.
    /// </summary>
    public Tensor? Initial { get; init; }

    /// <summary>
    /// Called after each step, on the thread that generates. What it returns takes the place of the latents and is copied; null leaves them. Null, the default, calls nobody.
    /// </summary>
    public Func<SamplingStep, Tensor?>? OnStep { get; init; }
}
