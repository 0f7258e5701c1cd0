using Microsoft.Extensions.AI;

namespace Dsd.Extensions.AI;

/// <summary>
/// The keys of <see cref="ImageGenerationOptions.AdditionalProperties"/> that a <see cref="DsdImageGenerator"/> knows; another key is refused. Numbers may be
/// given as any type of number, as JSON, or as invariant text.
/// </summary>
public static class DsdImageProperties
{
    /// <summary>
    /// The seed of the first picture, a whole number from 0; those after it take the seeds after it. Left out, a random one is drawn. Each picture of the
    /// answer has its seed under this key.
    /// </summary>
    public const string Seed = "seed";

    /// <summary>Euler steps: <see cref="Models.Sampling.DsdOptions.Steps"/>.</summary>
    public const string Steps = "steps";

    /// <summary>Distilled guidance, for models that take it: <see cref="Models.Sampling.DsdOptions.Guidance"/>.</summary>
    public const string Guidance = "guidance";

    /// <summary>True guidance towards the reference: <see cref="Models.Sampling.DsdOptions.ImageGuidance"/>.</summary>
    public const string ImageGuidance = "image_guidance";

    /// <summary>True guidance towards the prompt: <see cref="Models.Sampling.DsdOptions.TextGuidance"/>.</summary>
    public const string TextGuidance = "text_guidance";

    /// <summary>Steps at the start without true guidance: <see cref="Models.Sampling.DsdOptions.UnguidedSteps"/>.</summary>
    public const string UnguidedSteps = "unguided_steps";

    /// <summary>The quality of a JPEG or WebP file, 1 to 100. Default 90.</summary>
    public const string EncodingQuality = "encoding_quality";

    /// <summary>An <see cref="IProgress{T}"/> of <see cref="DsdImageProgress"/>, called after each step on the thread that draws.</summary>
    public const string Progress = "progress";

    /// <summary>Has somebody told after each step: the same as setting <see cref="Progress"/>.</summary>
    /// <param name="options">The options, which are changed.</param>
    /// <param name="progress">Called on the thread that draws; it must be quick.</param>
    /// <returns>The same options.</returns>
    public static ImageGenerationOptions WithProgress(this ImageGenerationOptions options, IProgress<DsdImageProgress> progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        return options.With(Progress, progress);
    }

    /// <summary>Sets one of the keys of this class.</summary>
    /// <param name="options">The options, which are changed.</param>
    /// <param name="key">The key, such as <see cref="Seed"/>.</param>
    /// <param name="value">The value.</param>
    /// <returns>The same options.</returns>
    public static ImageGenerationOptions With(this ImageGenerationOptions options, string key, object value)
    {
        ArgumentNullException.ThrowIfNull(options);
        (options.AdditionalProperties ??= [])[key] = value;
        return options;
    }
}
