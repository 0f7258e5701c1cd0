using Dsd.Common.Options;

namespace Dsd.Models.Sampling;

/// <summary>How a batch of pictures is drawn from text.</summary>
public sealed record TextToImageOptions
{
    private GivenOptions _given;

    /// <summary>Width in pixels, a multiple of 16. Default 1024.</summary>
    public int Width { get; init => field = _given.Note(OptionCheck.Side(value, nameof(Width))); } = 1024;

    /// <summary>Height in pixels, a multiple of 16. Default 1024.</summary>
    public int Height { get; init => field = _given.Note(OptionCheck.Side(value, nameof(Height))); } = 1024;

    /// <summary>Euler steps, 1 to 1000. Default 28.</summary>
    public int Steps { get; init => field = _given.Note(OptionCheck.Range(value, 1, 1000, nameof(Steps))); } = 28;

    /// <summary>
    /// Distilled guidance, an input of models that have a guidance embedding; others ignore it as FLUX.1-schnell does. 0 to 100, default 3.5.
    /// </summary>
    public float Guidance { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 100f, nameof(Guidance))); } = 3.5f;

    /// <summary>
    /// Leaves out all blocks but the first in a step where the first one's part of the picture has changed by no more than this share of its size
    /// since all blocks last ran, and uses what the others gave then: faster, and not the same picture (docs/performance.md says by how much). 0
    /// to 1; 0, the default, computes everything. Around 0.1 is common.
    /// </summary>
    public float BlockCache { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 1f, nameof(BlockCache))); }

    /// <summary>T5 tokens that a prompt is padded or cut to, 1 to 512. Null, the default: what the model's tokenizer says.</summary>
    public int? MaxTextTokens { get; init => field = _given.Note(OptionCheck.RangeOrNull(value, 1, 512, nameof(MaxTextTokens))); }

    /// <summary>These options where they were given, and a model's own for what was left out: so that setting one keeps the rest of a preset.</summary>
    /// <param name="preset">The model's own.</param>
    public TextToImageOptions Over(TextToImageOptions preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        return _given.Over(this, preset with { });
    }
}
