using Dsd.Common.Options;
using Dsd.Models.Lora;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Timesteps;

namespace Dsd.Models.Training;

/// <summary>How a <see cref="LoraTrainer"/> trains.</summary>
public sealed record LoraTrainingOptions
{
    private GivenOptions _given;

    /// <summary>Width of one frame in pixels, a multiple of 16; the canvas is twice as wide. Default 512.</summary>
    public int Width { get; init => field = _given.Note(OptionCheck.Side(value, nameof(Width))); } = 512;

    /// <summary>Height of a frame in pixels, a multiple of 16. Default 512.</summary>
    public int Height { get; init => field = _given.Note(OptionCheck.Side(value, nameof(Height))); } = 512;

    /// <summary>Rank, strength, layers and seed of the adapter. Default rank 16 on attention and feed-forward layers, and the condition embedder.</summary>
    public LoraOptions Adapter { get; init => field = _given.Note(value); } = new();

    /// <summary>An adapter's file to train on, in place of a new one; <see cref="Adapter"/> then says nothing. Default none.</summary>
    public string? InitialAdapterFile { get; init => field = _given.Note(value); }

    /// <summary>Optimiser steps, at least 1. Default 1000.</summary>
    public long Steps { get; init => field = _given.Note(OptionCheck.Range(value, 1, long.MaxValue, nameof(Steps))); } = 1000;

    /// <summary>Pairs whose losses are computed at once, at least 1. Default 1.</summary>
    public int BatchSize { get; init => field = _given.Note(OptionCheck.Range(value, 1, 65536, nameof(BatchSize))); } = 1;

    /// <summary>
    /// Batches a step, whose gradients are averaged: the same as a batch so many times as large, in the memory of one. 1 to 65536, default 1.
    /// </summary>
    public int AccumulationSteps { get; init => field = _given.Note(OptionCheck.Range(value, 1, 65536, nameof(AccumulationSteps))); } = 1;

    /// <summary>The largest learning rate. Default 1e-4; for Prodigy give 1.</summary>
    public double LearningRate { get; init => field = _given.Note(OptionCheck.Range(value, 1e-12, 10, nameof(LearningRate))); } = 1e-4;

    /// <summary>How the learning rate goes on after the warm-up. Default half a cosine down to nothing.</summary>
    public LearningRateSchedule Schedule { get; init => field = _given.Note(OptionCheck.Defined(value, nameof(Schedule))); } = LearningRateSchedule.Cosine;

    /// <summary>Steps over which the learning rate rises. Default 0.</summary>
    public long WarmupSteps { get; init => field = _given.Note(OptionCheck.Range(value, 0, long.MaxValue, nameof(WarmupSteps))); }

    /// <summary>The optimiser and its settings. Default AdamW.</summary>
    public OptimizerOptions Optimizer { get; init => field = _given.Note(value ?? throw new ArgumentNullException(nameof(Optimizer))); } = new AdamWOptions();

    /// <summary>Decay of a moving average of the adapter, which becomes the result; 0, the default, keeps none. It lies in the host's memory.</summary>
    public double AverageDecay { get; init => field = _given.Note(OptionCheck.Range(value, 0, 0.999999, nameof(AverageDecay))); }

    /// <summary>So many steps in a row without a finite loss and gradient end the run; fewer are left out. At least 1, default 10.</summary>
    public int MaxSkippedInRow { get; init => field = _given.Note(OptionCheck.Range(value, 1, int.MaxValue, nameof(MaxSkippedInRow))); } = 10;

    /// <summary>The distilled guidance as input in training; models without the embedding ignore it. 0 to 100, default 1.</summary>
    public float Guidance { get; init => field = _given.Note(OptionCheck.Range(value, 0f, 100f, nameof(Guidance))); } = 1f;

    /// <summary>Share of examples with an empty prompt, so that true guidance has something to push away from. 0 to 1, default 0.1.</summary>
    public double PromptDropout { get; init => field = _given.Note(OptionCheck.Range(value, 0, 1, nameof(PromptDropout))); } = 0.1;

    /// <summary>Share of examples with an empty prompt and a zero condition. 0 to 1, default 0.05.</summary>
    public double ConditionDropout { get; init => field = _given.Note(OptionCheck.Range(value, 0, 1, nameof(ConditionDropout))); } = 0.05;

    /// <summary>Share of an adapted layer's inputs that the adapter does not see, other ones at each step. 0 to 0.99, default 0.</summary>
    public double AdapterDropout { get; init => field = _given.Note(OptionCheck.Range(value, 0, 0.99, nameof(AdapterDropout))); }

    /// <summary>How noise levels are drawn. Default logit-normal, with the shift of the model's schedule.</summary>
    public TimestepSampling Timesteps
    {
        get;
        init => field = _given.Note(value ?? throw new ArgumentNullException(nameof(Timesteps)));
    } = new LogitNormalTimesteps();

    /// <summary>How much an example counts by its noise level. Default all the same.</summary>
    public LossWeighting Weighting { get; init => field = _given.Note(OptionCheck.Defined(value, nameof(Weighting))); } = LossWeighting.None;

    /// <summary>
    /// Weight of the reference's frame in the loss, beside <see cref="TargetWeight"/>; their proportion counts. 0 to 1000, default 1: the model also learns to
    /// give the reference back, and so to read it (Diffusion Self-Distillation, section 3.3, the parallel architecture). 0 leaves it out.
    /// </summary>
    public double ReferenceWeight { get; init => field = _given.Note(OptionCheck.Range(value, 0, 1000, nameof(ReferenceWeight))); } = 1;

    /// <summary>Weight of the target's frame in the loss. Above 0, to 1000, default 1.</summary>
    public double TargetWeight { get; init => field = _given.Note(OptionCheck.Range(value, 1e-6, 1000, nameof(TargetWeight))); } = 1;

    /// <summary>Where the order of examples, noise and noise levels start. Default 0.</summary>
    public long Seed { get; init => field = _given.Note(value); }

    /// <summary>T5 tokens that a prompt is padded or cut to, 1 to 512. Null, the default: what the model's tokenizer says.</summary>
    public int? MaxTextTokens { get; init => field = _given.Note(OptionCheck.RangeOrNull(value, 1, 512, nameof(MaxTextTokens))); }

    /// <summary>Steps between two reports of progress, at least 1; the last step is reported too. Default 50.</summary>
    public int ReportEvery { get; init => field = _given.Note(OptionCheck.Range(value, 1, int.MaxValue, nameof(ReportEvery))); } = 50;

    /// <summary>
    /// A folder for states of the run, from which one that was cut off goes on, and of which a finished one is not trained again; null, the default, keeps
    /// none.
    /// </summary>
    public string? CheckpointFolder { get; init => field = _given.Note(OptionCheck.TextOrNull(value, nameof(CheckpointFolder))); }

    /// <summary>How many states are kept, 1 to 1000: the newest. Default 3.</summary>
    public int KeepCheckpoints { get; init => field = _given.Note(OptionCheck.Range(value, 1, 1000, nameof(KeepCheckpoints))); } = 3;

    /// <summary>Steps between checkpoints, beside the time between them; null, the default, is time alone.</summary>
    public long? CheckpointSteps { get; init => field = _given.Note(OptionCheck.RangeOrNull(value, 1, long.MaxValue, nameof(CheckpointSteps))); }

    /// <summary>Time between checkpoints, at most a year. Default ten minutes.</summary>
    public TimeSpan CheckpointEvery
    {
        get;
        init => field = _given.Note(OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromDays(366), nameof(CheckpointEvery)));
    } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A folder for what text encoders and autoencoder give, by the content of picture, prompt, model and size: runs share it, also at the same time, and
    /// one that goes on encodes nothing again. It grows by about 5 MB a pair for FLUX at 512 × 512; nothing in it is ever removed. Each run reads the
    /// entries that it needs once before the first step, and makes anew what is missing or damaged. Null, the default: memory, as long as all takes less
    /// than a gigabyte there, and from then on a scratch folder among the system's temporary files, which is removed afterwards.
    /// </summary>
    public string? CacheFolder { get; init => field = _given.Note(OptionCheck.TextOrNull(value, nameof(CacheFolder))); }

    /// <summary>
    /// Whether each pair gets the frame whose aspect ratio is nearest its target's, of about the area of <see cref="Width"/> × <see cref="Height"/> or of
    /// <see cref="Resolutions"/>. A step then has pairs of one size, the last batch of a size in a pass is filled up with pairs of that size, and every
    /// pair is seen at least once a pass. Default false: every pair is cut to <see cref="Width"/> × <see cref="Height"/>.
    /// </summary>
    public bool Buckets { get; init => field = _given.Note(value); }

    /// <summary>
    /// Areas for <see cref="Buckets"/>, each as the side of its square in pixels, multiples of 16. A pair gets the largest that its target fills without
    /// being enlarged, or the smallest. Empty, the default: the area of <see cref="Width"/> × <see cref="Height"/>.
    /// </summary>
    public IReadOnlyList<int> Resolutions
    {
        get;
        init => field = _given.Note<IReadOnlyList<int>>(
            [.. (value ?? throw new ArgumentNullException(nameof(Resolutions))).Select(side => OptionCheck.Side(side, nameof(Resolutions)))]);
    } = [];

    /// <summary>
    /// Steps between two looks at the held-out pairs of <see cref="LoraTrainer.HeldOut"/>, at least 1: they are looked at for the first report at or after
    /// each multiple, and for the last one. Default 500.
    /// </summary>
    public long ValidateEvery { get; init => field = _given.Note(OptionCheck.Range(value, 1, long.MaxValue, nameof(ValidateEvery))); } = 500;

    /// <summary>
    /// These options where they were given, and a model's own for what was left out: so that setting one keeps the rest of a preset. Where
    /// <see cref="Adapter"/> is given and <see cref="InitialAdapterFile"/> is not, a new adapter is trained: the preset's file would make it say nothing.
    /// </summary>
    /// <param name="preset">The model's own.</param>
    /// <param name="seed">The <see cref="Seed"/> where it was left out here. Null, the default: the preset's.</param>
    public LoraTrainingOptions Over(LoraTrainingOptions preset, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(preset);
        LoraTrainingOptions merged = _given.Over(this, preset with { });
        return merged with
        {
            InitialAdapterFile = _given.Has(nameof(Adapter)) && !_given.Has(nameof(InitialAdapterFile)) ? null : merged.InitialAdapterFile,
            Seed = _given.Has(nameof(Seed)) ? Seed : seed ?? preset.Seed,
        };
    }
}
