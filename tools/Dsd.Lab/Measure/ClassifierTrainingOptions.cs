using Dsd.Common.Options;
using Dsd.Tiny.Classifier;
using static TorchSharp.torch;

namespace Dsd.Lab.Measure;

/// <summary>How the classifier is trained.</summary>
internal sealed record ClassifierTrainingOptions
{
    /// <summary>
    /// The folder for <c>config.json</c>, <c>model.safetensors</c> and, while training, the folder <c>checkpoints</c>. Training continues from a
    /// what is found there.
    /// </summary>
    public required string Folder
    {
        get;
        init => field = string.IsNullOrWhiteSpace(value) ? throw new ArgumentException("Option Folder must name a folder.", nameof(Folder)) : value;
    }

    /// <summary>Sizes and attributes. Default <see cref="ClassifierConfig.ForWorld"/>.</summary>
    public ClassifierConfig Config { get; init; } = ClassifierConfig.ForWorld;

    /// <summary>Where to train, such as <c>torch.CUDA</c>. Default the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Steps of the whole run, at least 1. Default 6000.</summary>
    public long Steps { get; init => field = OptionCheck.Range(value, 1, 10_000_000, nameof(Steps)); } = 6000;

    /// <summary>Pictures a step, an even number from 2 to 4096. Default 256.</summary>
    public int Batch
    {
        get;
        init => field = value % 2 == 0
            ? OptionCheck.Range(value, 2, 4096, nameof(Batch))
            : throw new ArgumentException($"Option Batch must be even, because pictures come in pairs, but is {value}.", nameof(Batch));
    } = 256;

    /// <summary>The peak of the learning rate's cosine. Default 2e-3.</summary>
    public double LearningRate { get; init => field = OptionCheck.Range(value, 1e-8, 1, nameof(LearningRate)); } = 2e-3;

    /// <summary>Steps in which the learning rate rises. Default 100.</summary>
    public long WarmupSteps { get; init => field = OptionCheck.Range(value, 0, 1_000_000, nameof(WarmupSteps)); } = 100;

    /// <summary>Decay of AdamW. Default 0.02.</summary>
    public double WeightDecay { get; init => field = OptionCheck.Range(value, 0, 10, nameof(WeightDecay)); } = 0.02;

    /// <summary>Decay of the moving average of the weights, which is what is kept, below 1; 0 keeps the weights themselves. Default 0.995.</summary>
    public double AverageDecay { get; init => field = OptionCheck.Range(value, 0, 0.9999, nameof(AverageDecay)); } = 0.995;

    /// <summary>Batches that are drawn and kept in memory, and come again with other augmentations; null, the default, draws every batch anew.</summary>
    public int? DistinctBatches { get; init => field = OptionCheck.RangeOrNull(value, 1, 1_000_000, nameof(DistinctBatches)); }

    /// <summary>
    /// Encodes and decodes images ([batch, 3, size, size] in −1…1, on <see cref="Device"/>) with the model's autoencoder, so that its traces are
    /// known. Null: none.
    /// </summary>
    public Func<Tensor, Tensor>? RoundTrip { get; init; }

    /// <summary>The type that weights are stored in. Default bfloat16.</summary>
    public ScalarType StoredType { get; init; } = ScalarType.BFloat16;

    /// <summary>Fixes pictures, initial weights and augmentations. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When to stop (UTC), with a checkpoint; what there is then is measured and kept. Default never.</summary>
    public DateTime Deadline { get; init; } = DateTime.MaxValue;

    /// <summary>Held-out pictures that the result is measured on, 2 to 1,000,000, rounded up to whole batches. Default 10,000.</summary>
    public int HeldOutPictures { get; init => field = OptionCheck.Range(value, 2, 1_000_000, nameof(HeldOutPictures)); } = 10_000;
}
