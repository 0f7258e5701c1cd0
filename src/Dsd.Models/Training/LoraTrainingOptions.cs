using Dsd.Common.Options;
using Dsd.Models.Lora;

namespace Dsd.Models.Training;

/// <summary>How a <see cref="LoraTrainer"/> trains.</summary>
public sealed record LoraTrainingOptions
{
    /// <summary>Width of one frame in pixels, a multiple of 16; the canvas is twice as wide. Default 512.</summary>
    public int Width { get; init => field = OptionCheck.Side(value, nameof(Width)); } = 512;

    /// <summary>Height of a frame in pixels, a multiple of 16. Default 512.</summary>
    public int Height { get; init => field = OptionCheck.Side(value, nameof(Height)); } = 512;

    /// <summary>Rank, strength, layers and seed of the adapter. Default rank 16 on attention and feed-forward layers, and the condition embedder.</summary>
    public LoraOptions Adapter { get; init; } = new();

    /// <summary>An adapter's file to train on, in place of a new one; <see cref="Adapter"/> then says nothing. Default none.</summary>
    public string? InitialAdapterFile { get; init; }

    /// <summary>Optimiser steps, at least 1. Default 1000.</summary>
    public long Steps { get; init => field = OptionCheck.Range(value, 1, long.MaxValue, nameof(Steps)); } = 1000;

    /// <summary>Pairs a step, at least 1. Default 1.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 65536, nameof(BatchSize)); } = 1;

    /// <summary>The largest learning rate. Default 1e-4.</summary>
    public double LearningRate { get; init => field = OptionCheck.Range(value, 1e-12, 10, nameof(LearningRate)); } = 1e-4;

    /// <summary>Steps over which the learning rate rises; afterwards it falls along half a cosine. Default 0.</summary>
    public long WarmupSteps { get; init => field = OptionCheck.Range(value, 0, long.MaxValue, nameof(WarmupSteps)); }

    /// <summary>Settings of AdamW.</summary>
    public AdamWOptions Optimizer { get; init; } = new();

    /// <summary>Decay of a moving average of the adapter, which becomes the result; 0, the default, keeps none.</summary>
    public double AverageDecay { get; init => field = OptionCheck.Range(value, 0, 0.999999, nameof(AverageDecay)); }

    /// <summary>The distilled guidance as input in training; models without the embedding ignore it. 0 to 100, default 1.</summary>
    public float Guidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(Guidance)); } = 1f;

    /// <summary>Share of examples with an empty prompt, so that true guidance has something to push away from. 0 to 1, default 0.1.</summary>
    public double PromptDropout { get; init => field = OptionCheck.Range(value, 0, 1, nameof(PromptDropout)); } = 0.1;

    /// <summary>Share of examples with an empty prompt and a zero condition. 0 to 1, default 0.05.</summary>
    public double ConditionDropout { get; init => field = OptionCheck.Range(value, 0, 1, nameof(ConditionDropout)); } = 0.05;

    /// <summary>Which frames enter the loss. Default both, as in the paper's parallel architecture.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public FrameLoss Frames { get; init => field = OptionCheck.Defined(value, nameof(Frames)); } = FrameLoss.Both;

    /// <summary>Where the order of examples, noise and noise levels start. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>T5 tokens that a prompt is padded or cut to, 1 to 512. Null, the default: what the model's tokenizer says.</summary>
    public int? MaxTextTokens { get; init => field = OptionCheck.RangeOrNull(value, 1, 512, nameof(MaxTextTokens)); }

    /// <summary>Steps between two reports of progress, at least 1; the last step is reported too. Default 50.</summary>
    public int ReportEvery { get; init => field = OptionCheck.Range(value, 1, int.MaxValue, nameof(ReportEvery)); } = 50;

    /// <summary>A file for the state, from which a run that was cut off goes on; null, the default, keeps none.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>
    /// A folder for what text encoders and autoencoder give, by the content of picture, prompt, model and size: runs share it, also at the same time, and
    /// one that goes on encodes nothing again. It grows by about 5 MB a pair for FLUX at 512 × 512; nothing in it is ever removed. Each run reads the
    /// entries that it needs once before the first step, and makes anew what is missing or damaged. Null, the default: memory, as long as all takes less
    /// than a gigabyte there, and from then on a scratch folder among the system's temporary files, which is removed afterwards.
    /// </summary>
    public string? CacheFolder { get; init => field = OptionCheck.TextOrNull(value, nameof(CacheFolder)); }

    /// <summary>
    /// Whether each pair gets the frame whose aspect ratio is nearest its target's, of about the area of <see cref="Width"/> × <see cref="Height"/> or of
    /// <see cref="Resolutions"/>. A step then has pairs of one size, the last batch of a size in a pass is filled up with pairs of that size, and every
    /// pair is seen at least once a pass. Default false: every pair is cut to <see cref="Width"/> × <see cref="Height"/>.
    /// </summary>
    public bool Buckets { get; init; }

    /// <summary>
    /// Areas for <see cref="Buckets"/>, each as the side of its square in pixels, multiples of 16. A pair gets the largest that its target fills without
    /// being enlarged, or the smallest. Empty, the default: the area of <see cref="Width"/> × <see cref="Height"/>.
    /// </summary>
    public IReadOnlyList<int> Resolutions
    {
        get;
        init => field = [.. (value ?? throw new ArgumentNullException(nameof(Resolutions))).Select(side => OptionCheck.Side(side, nameof(Resolutions)))];
    } = [];

    /// <summary>
    /// Steps between two looks at the held-out pairs of <see cref="LoraTrainer.HeldOut"/>, at least 1: they are looked at for the first report at or after
    /// each multiple, and for the last one. Default 500.
    /// </summary>
    public long ValidateEvery { get; init => field = OptionCheck.Range(value, 1, long.MaxValue, nameof(ValidateEvery)); } = 500;
}
