using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>Checks what a FLUX transformer is given, before anything is computed.</summary>
internal static class FluxInputs
{
    /// <summary>Refuses inputs that are missing, not wanted, or of another shape.</summary>
    /// <exception cref="ArgumentException">Names the input, what was expected and what was found.</exception>
    public static void Check(
        FluxConfig config, Tensor latents, Tensor? condition, Tensor text, Tensor pooled, Tensor sigma, Tensor? guidance, Tensor imageIds, Tensor textIds)
    {
        if (condition is null == config.Conditional)
        {
            throw new ArgumentException(
                config.Conditional ? "The transformer is conditional, so a condition is needed, but none was given."
                    : "The transformer has no c_embedder, so it cannot take a condition, but one was given. Build it with Conditional = true.",
                nameof(condition));
        }
        if (guidance is null == config.GuidanceEmbeds)
        {
            throw new ArgumentException(
                config.GuidanceEmbeds ? "The transformer has a guidance embedding, so guidance is needed, but none was given."
                    : "The transformer has no guidance embedding, so it cannot take guidance, but some was given. Pass null.",
                nameof(guidance));
        }
        long textTokens = text.shape.ElementAtOrDefault(1);
        (long batch, long image) = (latents.shape.ElementAtOrDefault(0), latents.shape.ElementAtOrDefault(1));
        Fits(latents, nameof(latents), batch, image, config.InChannels);
        Fits(text, nameof(text), batch, textTokens, config.JointAttentionDim);
        Fits(pooled, nameof(pooled), batch, config.PooledProjectionDim);
        Fits(sigma, nameof(sigma), batch);
        Fits(imageIds, nameof(imageIds), image, 3);
        Fits(textIds, nameof(textIds), textTokens, 3);
        if (condition is not null)
        {
            Fits(condition, nameof(condition), batch, image, config.InChannels);
        }
        if (guidance is not null)
        {
            Fits(guidance, nameof(guidance), batch);
        }
    }

    private static void Fits(Tensor tensor, string name, params long[] shape)
    {
        if (!tensor.shape.SequenceEqual(shape))
        {
            throw new ArgumentException($"Input {name} must have shape [{string.Join(", ", shape)}], but has [{string.Join(", ", tensor.shape)}].", name);
        }
    }
}
