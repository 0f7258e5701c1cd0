using Dsd.Common.Options;

namespace Dsd.Models.Sampling;

/// <summary>How a batch of pictures is drawn from references and text.</summary>
public sealed record DsdOptions
{
    private GivenOptions _given;

    /// <summary>Width of one frame in pixels, a multiple of 16; the canvas is twice as wide. Default 512.</summary>
    public int Width { get; init => field = _given.Note(OptionCheck.Side(value, nameof(Width))); } = 512;

    /// <summary>Height of a frame in pixels, a multiple of 16. Default 512.</summary>
    public int Height { get; init => field = _given.Note(OptionCheck.Side(value, nameof(Height))); } = 512;

    /// <summary>Euler steps, 1 to 1000. Default 28.</summary>
    public int Steps { get; init => field = _given.Note(OptionCheck.Range(value, 1, 1000, nameof(Steps))); } = 28;

    /// <summary>Distilled guidance, an input of models that have a guidance embedding; others ignore it. 0 to 100, default 3.5.</summary>
    public float Guidance { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 100f, nameof(Guidance))); } = 3.5f;

    /// <summary>True guidance towards the reference: <c>i</c> in <c>v = u + i·(ut − u) + t·(c − ut)</c>. 1, the default, adds nothing.</summary>
    public float ImageGuidance { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 100f, nameof(ImageGuidance))); } = 1f;

    /// <summary>True guidance towards the prompt: <c>t</c> in <c>v = u + i·(ut − u) + t·(c − ut)</c>. 1, the default, adds nothing.</summary>
    public float TextGuidance { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 100f, nameof(TextGuidance))); } = 1f;

    /// <summary>Steps at the start that run without true guidance. Default 2, as published.</summary>
    public int UnguidedSteps { get; init => field = _given.Note(OptionCheck.Range(value, 0, 1000, nameof(UnguidedSteps))); } = 2;

    /// <summary>
    /// Leaves out all blocks but the first in a step where the first one's part of the picture has changed by no more than this share of its size
    /// since all blocks last ran, and uses what the others gave then: faster, and not the same picture (docs/performance.md says by how much). 0
    /// to 1; 0, the default, computes everything. Around 0.1 is common.
    /// </summary>
    public float BlockCache { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 1f, nameof(BlockCache))); }

    /// <summary>T5 tokens that a prompt is padded or cut to, 1 to 512. Null, the default: what the model's tokenizer says.</summary>
    public int? MaxTextTokens { get; init => field = _given.Note(OptionCheck.RangeOrNull(value, 1, 512, nameof(MaxTextTokens))); }

    /// <summary>Draw the condition latent from the encoder's distribution, with the request's seed, where the default takes its mode.</summary>
    public bool SampleCondition { get; init => field = _given.Note(value); }

    /// <summary>These options where they were given, and a model's own for what was left out: so that setting one keeps the rest of a preset.</summary>
    /// <param name="preset">The model's own.</param>
    public DsdOptions Over(DsdOptions preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        return _given.Over(this, preset with { });
    }
}
