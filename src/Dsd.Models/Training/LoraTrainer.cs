using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training.Cache;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>
/// Turns a text-to-image model into one that takes a reference: a LoRA and the condition embedder, trained on pairs of one subject
/// (Diffusion Self-Distillation, section 3.3).
/// </summary>
/// <remarks>
/// The canvas is a sequence of two frames: the left one reconstructs the reference, the right one is the target. Both are noised and denoised
/// together, and both enter the loss unless <see cref="LoraTrainingOptions.Frames"/> says otherwise. The condition is the reference beside black,
/// as in use. Pictures and prompts are encoded once, before the first step, and kept: on the transformer's device as long as they take less than
/// a gigabyte there, otherwise on disk, or in any case in <see cref="LoraTrainingOptions.CacheFolder"/>. From disk they are read ahead of the steps that
/// need them, and memory holds about a hundred bytes a pair. What a step draws depends on the seed and its number alone, so a resumed run equals an
/// uninterrupted one.
/// </remarks>
public sealed class LoraTrainer
{
    private readonly DiffusionModel _model;
    private readonly LoraTrainingOptions _options;
    private readonly AspectBuckets _buckets;

    /// <summary>A trainer for a model, which still belongs to the caller. Its own weights do not change.</summary>
    /// <param name="model">A conditional model: see <see cref="DiffusionModel.LoadConditional"/>.</param>
    /// <param name="options">How to train.</param>
    /// <exception cref="ArgumentException">The network takes no condition, is in eight bits or not on its device as a whole, or the frame is not
    /// made of whole tokens.</exception>
    public LoraTrainer(DiffusionModel model, LoraTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (!model.Network.IsConditional)
        {
            throw new ArgumentException(
                $"The model takes no condition: load it with {nameof(DiffusionModel)}.{nameof(DiffusionModel.LoadConditional)}.", nameof(model));
        }
        if (model.Memory != MemoryMode.Resident || model.Network.IsFloat8)
        {
            throw new ArgumentException(
                $"Training needs a model that lies on its device in full precision ({nameof(PipelineOptions.Memory)} {nameof(MemoryMode.Resident)}, "
                    + $"{nameof(PipelineOptions.Float8)} false), but this one is {model.Memory}{(model.Network.IsFloat8 ? " in eight bits" : "")}.",
                nameof(model));
        }
        (_model, _options) = (model, options);
        try
        {
            _buckets = new AspectBuckets(model, options);
        }
        catch (ArgumentException e)
        {
            string asked = options.Buckets && options.Resolutions.Count > 0
                ? $"Option {nameof(options.Resolutions)}"
                : $"Options {nameof(options.Width)} and {nameof(options.Height)}";
            throw new ArgumentException($"{asked}: {e.Message}", nameof(options), e);
        }
    }

    /// <summary>
    /// Pairs that are not trained on: their loss stands in <see cref="TrainingProgress.ValidationLoss"/> every
    /// <see cref="LoraTrainingOptions.ValidateEvery"/> steps. Read once. Null, the default, or empty: none.
    /// </summary>
    public IEnumerable<TrainingPair>? HeldOut { get; init; }

    /// <summary>Called when all is encoded and before the first step: text encoders and autoencoder are not needed from then on.</summary>
    internal Action? Encoded { get; init; }

    /// <summary>What the last training found in its cache, and what it had to make. Null before the first.</summary>
    public CacheCounts? CacheUse { get; private set; }

    /// <summary>Trains an adapter.</summary>
    /// <param name="pairs">The examples, at least one; read once. Pictures are cut to the frame's aspect ratio and scaled to it.</param>
    /// <param name="progress">Called every <see cref="LoraTrainingOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps; the checkpoint, if any, is written first.</param>
    /// <returns>The adapter, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">There is no pair, or a picture has a side below 16 pixels.</exception>
    /// <exception cref="IOException">The cache's folder cannot be written, or an entry was damaged while the model trained.</exception>
    public LoraAdapter Train(IEnumerable<TrainingPair> pairs, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        return Train(pairs.Select(PairContent.Of), (HeldOut ?? []).Select(PairContent.Of), progress, cancellationToken);
    }

    /// <summary>Trains an adapter on pairs whose pictures are decoded only where the cache does not hold what the encoders give for them.</summary>
    /// <param name="pairs">The examples, at least one; read once. Pictures are cut to the frame's aspect ratio and scaled to it.</param>
    /// <param name="heldOut">More held-out pairs beside <see cref="HeldOut"/>. Null is none.</param>
    /// <param name="progress">Called every <see cref="LoraTrainingOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps; the checkpoint, if any, is written first.</param>
    /// <returns>The adapter, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">There is no pair, or a picture has a side below 16 pixels.</exception>
    /// <exception cref="PictureException">A file's bytes are no picture.</exception>
    /// <exception cref="IOException">The cache's folder cannot be written, or an entry was damaged while the model trained.</exception>
    public LoraAdapter TrainEncoded(
        IEnumerable<EncodedPair> pairs, IEnumerable<EncodedPair>? heldOut = null, IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        return Train(
            pairs.Select(PairContent.Of), (HeldOut ?? []).Select(PairContent.Of).Concat((heldOut ?? []).Select(PairContent.Of)), progress, cancellationToken);
    }

    private LoraAdapter Train(
        IEnumerable<PairContent> pairs, IEnumerable<PairContent> heldOutPairs, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        using ExampleStore store = new(_options.CacheFolder, _model.Network.Device);
        PairEncoder encoder = new(_model, _options, _buckets, store);
        ExampleTable examples = encoder.Encode(pairs, cancellationToken);
        if (examples.Count == 0)
        {
            throw new ArgumentException("There is no pair to train on.", nameof(pairs));
        }
        // Nobody would hear of their loss where no progress is asked for.
        ExampleTable heldOut = encoder.Encode(progress is null ? [] : heldOutPairs, cancellationToken);
        PromptEmbedding empty = encoder.Empty();
        CacheUse = store.Counts;
        store.Seal();
        Encoded?.Invoke();
        BatchPlan plan = _options.Buckets
            ? BatchPlan.OfBuckets(_options.Seed, _options.BatchSize, examples, _buckets.All.Count)
            : BatchPlan.OfOneSize(_options.Seed, _options.BatchSize, examples.Count);
        using BatchReader batches = new(store, examples, _buckets, _model.Network.Device, plan.Of);
        using HeldOutLoss? validation = heldOut.Count > 0 ? HeldOutLossOf(store, heldOut) : null;
        if (validation is not null)
        {
            progress = new HeldOutProgress(progress!, validation, _options.ValidateEvery, cancellationToken);
        }
        using LoraAdapter start = _options.InitialAdapterFile is { } file ? LoraAdapter.Load(file) : LoraAdapter.Create(_model.Network, _options.Adapter);
        foreach (string remark in start.Remarks)
        {
            _model.Warn?.Invoke(remark);
        }
        using LoraAttachment attached = start.Attach(_model.Network, trainable: true);
        TrainingLoopOptions loopOptions = new()
        {
            Steps = _options.Steps,
            PeakLearningRate = _options.LearningRate,
            WarmupSteps = _options.WarmupSteps,
            Optimizer = _options.Optimizer,
            AverageDecay = _options.AverageDecay,
            ReportEvery = _options.ReportEvery,
            Checkpoint = _options.Checkpoint,
        };
        using TrainingLoop loop = new(attached.Parameters.Select(p => p.Parameter), loopOptions, backward: _model.Network.Backward);
        loop.Run(step => Loss(step, batches, empty), progress, cancellationToken);
        return attached.ToAdapter();
    }

    /// <summary>The loss of pairs with the model as it is, at fixed noise and noise levels: what <see cref="HeldOut"/> gives in training.</summary>
    /// <param name="pairs">The pairs, at least one; read once.</param>
    /// <param name="cancellationToken">Checked between pairs.</param>
    /// <exception cref="ArgumentException">There is no pair, or a picture has a side below 16 pixels.</exception>
    /// <exception cref="IOException">The cache's folder cannot be written.</exception>
    public float ValidationLoss(IEnumerable<TrainingPair> pairs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        using ExampleStore store = new(_options.CacheFolder, _model.Network.Device);
        ExampleTable examples = new PairEncoder(_model, _options, _buckets, store).Encode(pairs.Select(PairContent.Of), cancellationToken);
        using HeldOutLoss loss = HeldOutLossOf(store, examples);
        return examples.Count > 0 ? loss.Evaluate(cancellationToken) : throw new ArgumentException("There is no pair.", nameof(pairs));
    }

    private Tensor Loss(long step, BatchReader batches, PromptEmbedding empty)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new((ulong)(_options.Seed * 1_000_003 + step));
        Device device = _model.Network.Device;
        ExampleBatch batch = batches.Batch(step);
        (Tensor latents, Tensor condition, Canvas canvas) = (batch.Latents, batch.Condition, batch.Canvas); // [batch, tokens, channels]
        Tensor[] prompts = [.. batch.Prompt]; // [batch, …] each

        // One draw decides both: below the first bound nothing is given, below the second only the reference.
        Tensor drop = rand([batch.Count, 1, 1], generator: random).to(device);
        condition = where(drop.less(_options.ConditionDropout), zeros_like(condition), condition);
        Tensor wordless = drop.less(_options.ConditionDropout + _options.PromptDropout);
        prompts = [.. prompts.Zip(empty.Parts, (own, none) => where(wordless.view([batch.Count, .. Enumerable.Repeat(1L, (int)own.dim() - 1)]), none, own))];

        Tensor noise = randn(latents.shape, generator: random).to(device);
        float[] normal = randn(batch.Count, generator: random).data<float>().ToArray();
        Tensor sigma = tensor(FlowMatching.Sigmas(normal, FlowMatchEulerScheduler.Mu(_model.Schedule, (int)latents.shape[1])), device: device);
        Tensor noised = FlowMatching.Interpolate(latents, noise, sigma);
        Tensor velocity = _model.Velocity(noised, condition, new PromptEmbedding(prompts), sigma, _options.Guidance, canvas);
        Tensor target = FlowMatching.Velocity(latents, noise);
        return FlowMatching.Loss(Counted(velocity), Counted(target)).MoveToOuterDisposeScope();

        Tensor Counted(Tensor tokens) => CountedTokens(tokens, canvas, _model.Frames, _options.Frames);
    }

    /// <summary>The tokens of the frames that count, of a canvas' [batch, tokens, channels], which run row by row over both frames.</summary>
    internal static Tensor CountedTokens(Tensor tokens, Canvas canvas, FrameOrder order, FrameLoss frames)
    {
        if (frames == FrameLoss.Both)
        {
            return tokens;
        }
        long columns = canvas.LatentWidth / canvas.Patch;
        return order == FrameOrder.Below
            ? tokens.narrow(1, canvas.Tokens / 2, canvas.Tokens / 2)
            : tokens.unflatten(1, canvas.Tokens / columns, columns).narrow(2, columns / 2, columns / 2).flatten(1, 2);
    }

    private HeldOutLoss HeldOutLossOf(ExampleStore store, ExampleTable pairs) =>
        new(_model, _options, pairs.Count, new BatchReader(store, pairs, _buckets, _model.Network.Device, pair => [(int)(pair % pairs.Count)]));
}
