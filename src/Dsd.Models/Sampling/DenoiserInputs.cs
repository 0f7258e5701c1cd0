namespace Dsd.Models.Sampling;

/// <summary>What a denoiser is made for: a batch, and a course of noise levels.</summary>
/// <typeparam name="T">The backend's tensors.</typeparam>
public sealed record DenoiserInputs<T>
    where T : class, IDisposable
{
    /// <summary>One a picture.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>The size of each picture.</summary>
    public required Canvas Canvas { get; init; }

    /// <summary>Noise levels, falling to 0: one more than there are steps.</summary>
    public required IReadOnlyList<float> Sigmas { get; init; }

    /// <summary>Condition tokens [batch, tokens, channels], which stay the caller's; null for none.</summary>
    public T? Condition { get; init; }

    /// <summary>Distilled guidance, an input of models that have a guidance embedding; others ignore it.</summary>
    public float Guidance { get; init; } = 3.5f;

    /// <summary>Text tokens that a prompt is padded or cut to; null is what the model's tokenizer says.</summary>
    public int? MaxTextTokens { get; init; }

    /// <summary>See <see cref="DsdOptions.BlockCache"/>.</summary>
    public float BlockCache { get; init; }

    /// <summary>Ends what the denoiser computes. A backend that cannot stop within a step leaves it: the sampler looks between steps.</summary>
    public CancellationToken CancellationToken { get; init; }
}
