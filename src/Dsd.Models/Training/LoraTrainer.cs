using System.Globalization;
using System.Text.Json;
using Dsd.Common.Options;
using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training.Cache;
using Dsd.Models.Training.Parallel;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>
/// Turns a text-to-image model into one that takes a reference: a LoRA and the condition embedder, trained on pairs of one subject
/// (Diffusion Self-Distillation, section 3.3).
/// </summary>
/// <remarks>
/// The canvas is a sequence of two frames: the left one reconstructs the reference, the right one is the target. Both are noised and denoised
/// together, and both enter the loss as <see cref="LoraTrainingOptions.ReferenceWeight"/> says. The condition is the reference beside black,
/// as in use. Pictures and prompts are encoded once, before the first step, and kept: on the transformer's device as long as they take less than
/// a gigabyte there, otherwise on disk, or in any case in <see cref="LoraTrainingOptions.CacheFolder"/>. From disk they are read ahead of the steps that
/// need them, and memory holds about a hundred bytes a pair. What is drawn for an example depends on the seed and its place in the sequence of examples
/// alone, so a resumed run equals an uninterrupted one, and batches may be cut in any way; the adapter's dropout alone is drawn for a batch.
/// </remarks>
public sealed class LoraTrainer
{
    private readonly DiffusionModel _model;
    private readonly LoraTrainingOptions _options;
    private readonly AspectBuckets _buckets;

    /// <summary>A trainer for a model, which still belongs to the caller. Its own weights do not change.</summary>
    /// <param name="model">A conditional model: see <see cref="DiffusionModel.LoadConditional"/>.</param>
    /// <param name="options">How to train.</param>
    /// <exception cref="ArgumentException">The network takes no condition, its blocks pass through the device and would keep graphs, or the frame is
    /// not made of whole tokens.</exception>
    public LoraTrainer(DiffusionModel model, LoraTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (!model.Network.IsConditional)
        {
            throw new ArgumentException(
                $"The model takes no condition: load it with {nameof(DiffusionModel)}.{nameof(DiffusionModel.LoadConditional)}.", nameof(model));
        }
        if (model.Memory == MemoryMode.Streamed && model.Network.RecomputedBlocks < model.Network.Blocks)
        {
            throw new ArgumentException(
                $"Blocks that pass through the device ({nameof(PipelineOptions.Memory)} {model.Memory}) can keep no graph: "
                    + $"set {nameof(DenoisingNetwork.RecomputedBlocks)} to all {model.Network.Blocks} blocks, or load the model with {nameof(TrainingModel)}.",
                nameof(model));
        }
        (_model, _options) = (model, options);
        _buckets = new AspectBuckets(model, options);
    }

    /// <summary>
    /// Pairs that are not trained on: their loss stands in <see cref="TrainingProgress.ValidationLoss"/> every
    /// <see cref="LoraTrainingOptions.ValidateEvery"/> steps. Read once. Null, the default, or empty: none.
    /// </summary>
    public IEnumerable<TrainingPair>? HeldOut { get; init; }

    /// <summary>
    /// The folder that a scratch folder is made in where there is no <see cref="LoraTrainingOptions.CacheFolder"/> and memory does not hold what is encoded.
    /// Null, the default: that of the system's temporary files.
    /// </summary>
    public string? TemporaryFolder { get; init => field = OptionCheck.TextOrNull(value, nameof(TemporaryFolder)); }

    /// <summary>
    /// The processes that train one adapter together, each with all pairs and its own model: a step has <see cref="LoraTrainingOptions.BatchSize"/> examples
    /// of each, so that two with a batch of 1 learn what one with a batch of 2 does. Rank 0 alone reports and writes checkpoints, and all get the adapter. A
    /// cache's folder is filled by rank 0 first. It stays the caller's. Null, the default, is this process alone.
    /// </summary>
    public TrainingGroup? Group { get; init; }

    /// <summary>
    /// Called before the first step of a run that goes on from a checkpoint, with the number of steps that it has taken. Null, the default: nobody is told.
    /// </summary>
    public Action<long>? GoesOn { get; init; }

    /// <summary>
    /// Looks on while training: called after each <see cref="LookEvery"/>th step but the last, with the number of steps taken and the run's token. The
    /// adapter lies over the model's network as it stands, nothing of it is dropped and no graph is kept, so that pictures can be drawn with the model. A
    /// run that goes on from such a step looks again before its next one. With a <see cref="Group"/> rank 0 alone looks, and the others wait at their next
    /// step. What is drawn at random in it changes nothing of the training. An <see cref="OperationCanceledException"/> ends the look; the run then ends
    /// as for any cancellation. Null, the default: nobody looks.
    /// </summary>
    public Action<long, CancellationToken>? Look { get; init; }

    /// <summary>Steps between two looks of <see cref="Look"/>, at least 1. Default 500.</summary>
    public long LookEvery { get; init => field = OptionCheck.Range(value, 1, long.MaxValue, nameof(LookEvery)); } = 500;

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
        using ExampleStore store = new(_options.CacheFolder, _model.Network.Device, temporary: TemporaryFolder);
        PairEncoder encoder = new(_model, _options, _buckets, store);
        bool waits = Group is not null && _options.CacheFolder is not null;
        if (waits && Group!.Rank > 0)
        {
            // Until the cache is full: nobody encodes what another does at the same time.
            Group.Barrier();
        }
        ExampleTable examples = encoder.Encode(pairs, cancellationToken);
        if (examples.Count == 0)
        {
            throw new ArgumentException("There is no pair to train on.", nameof(pairs));
        }
        // Nobody would hear of their loss where no progress is asked for.
        ExampleTable heldOut = encoder.Encode(progress is null || Group?.Rank > 0 ? [] : heldOutPairs, cancellationToken);
        PromptEmbedding empty = encoder.Empty();
        if (waits && Group!.Rank == 0)
        {
            Group.Barrier();
        }
        CacheUse = store.Counts;
        store.Seal();
        Encoded?.Invoke();
        int whole = _options.BatchSize * (Group?.WorldSize ?? 1);
        int share = _options.BatchSize * (Group?.Rank ?? 0);
        BatchPlan plan = _options.Buckets
            ? BatchPlan.OfBuckets(_options.Seed, whole, examples, _buckets.All.Count)
            : BatchPlan.OfOneSize(_options.Seed, whole, examples.Count);
        using BatchReader batches = new(
            store, examples, _buckets, _model.Network.Device, number => plan.Of(number)[share..(share + _options.BatchSize)]);
        LoraDropout? dropout = _options.AdapterDropout > 0 ? new LoraDropout(_options.AdapterDropout, _options.Seed) : null;
        using HeldOutLoss? validation = heldOut.Count > 0 ? HeldOutLossOf(store, heldOut) : null;
        if (validation is not null)
        {
            progress = new HeldOutProgress(progress!, cancel => Evaluate(validation, dropout, cancel), _options.ValidateEvery, cancellationToken);
        }
        using LoraAdapter start = _options.InitialAdapterFile is { } file ? LoraAdapter.Load(file) : LoraAdapter.Create(_model.Network, _options.Adapter);
        foreach (string remark in start.Remarks)
        {
            _model.Warn?.Invoke(remark);
        }
        using LoraAttachment attached = start.AttachToTrain(_model.Network, dropout);
        TrainingLoopOptions loopOptions = new()
        {
            Steps = _options.Steps,
            PeakLearningRate = _options.LearningRate,
            Schedule = _options.Schedule,
            WarmupSteps = _options.WarmupSteps,
            Optimizer = _options.Optimizer,
            AccumulationSteps = _options.AccumulationSteps,
            AverageDecay = _options.AverageDecay,
            MaxSkippedInRow = _options.MaxSkippedInRow,
            ReportEvery = _options.ReportEvery,
            CheckpointFolder = _options.CheckpointFolder,
            KeepCheckpoints = _options.KeepCheckpoints,
            CheckpointSteps = _options.CheckpointSteps,
            CheckpointEvery = _options.CheckpointEvery,
            Settings = Settings(examples),
            Warn = _model.Warn,
            Group = Group,
            AfterStep = Look is null || Group?.Rank > 0 ? null : step => LookOn(step, dropout, cancellationToken),
        };
        using TrainingLoop loop = new(
            attached.Parameters.Select(p => p.Parameter), loopOptions, replicas: null, backward: _model.Network.Backward,
            names: [.. attached.Parameters.Select(p => p.Name)]);
        if (loop.Step > 0)
        {
            GoesOn?.Invoke(loop.Step);
        }
        MeteredProgress metered = new(progress, (long)_options.BatchSize * _options.AccumulationSteps);
        // The attachment has frozen the base, and the loop goes back by the network's own way. It is made for a GPU: on the CPU torch's graphs are faster.
        _model.Network.WritesGradients = _model.Network.Device.type == DeviceType.CUDA;
        _model.Network.BlockIsBack = Group is null ? null : loop.BlockIsBack;
        try
        {
            loop.Run(batch => Loss(batch, batches, empty, dropout), metered, cancellationToken);
        }
        finally
        {
            _model.Network.WritesGradients = false;
            _model.Network.BlockIsBack = null;
        }
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
        using ExampleStore store = new(_options.CacheFolder, _model.Network.Device, temporary: TemporaryFolder);
        ExampleTable examples = new PairEncoder(_model, _options, _buckets, store).Encode(pairs.Select(PairContent.Of), cancellationToken);
        using HeldOutLoss loss = HeldOutLossOf(store, examples);
        return examples.Count > 0 ? loss.Evaluate(cancellationToken) : throw new ArgumentException("There is no pair.", nameof(pairs));
    }

    // What is held out is judged by the whole adapter.
    private static float Evaluate(HeldOutLoss validation, LoraDropout? dropout, CancellationToken cancellationToken)
    {
        dropout?.Step = null;
        return validation.Evaluate(cancellationToken);
    }

    private void LookOn(long step, LoraDropout? dropout, CancellationToken cancellationToken)
    {
        if (step % LookEvery != 0 || step == _options.Steps)
        {
            return;
        }
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        dropout?.Step = null;
        try
        {
            Look!(step, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It ends the look and not the run, which must still write its checkpoint.
        }
    }

    private Tensor Loss(long batchNumber, BatchReader batches, PromptEmbedding empty, LoraDropout? dropout)
    {
        using DisposeScope scope = NewDisposeScope();
        Device device = _model.Network.Device;
        // The batch's number is that of all processes; each has its own part of it.
        (int world, int rank) = (Group?.WorldSize ?? 1, Group?.Rank ?? 0);
        long part = batchNumber * world + rank;
        long first = part * _options.BatchSize;
        ExampleBatch batch = batches.Batch(batchNumber);
        (Tensor latents, Tensor condition, Canvas canvas) = (batch.Latents, batch.Condition, batch.Canvas); // [batch, tokens, channels]
        Tensor[] prompts = [.. batch.Prompt]; // [batch, …] each

        // One draw decides both: below the first bound nothing is given, below the second only the reference.
        Tensor[] drops = new Tensor[batch.Count];
        Tensor[] noises = new Tensor[batch.Count];
        float[] sigmas = new float[batch.Count];
        double mu = FlowMatchEulerScheduler.Mu(_model.Schedule, (int)latents.shape[1]);
        for (int i = 0; i < sigmas.Length; i++)
        {
            using Generator random = new((ulong)(_options.Seed * 1_000_003 + first + i));
            drops[i] = rand([1, 1, 1], generator: random);
            noises[i] = randn([1, .. latents.shape[1..]], generator: random);
            sigmas[i] = _options.Timesteps.Draw(random, mu);
        }
        Tensor drop = cat(drops).to(device);
        condition = where(drop.less(_options.ConditionDropout), zeros_like(condition), condition);
        Tensor wordless = drop.less(_options.ConditionDropout + _options.PromptDropout);
        prompts = [.. prompts.Zip(empty.Parts, (own, none) => where(wordless.view([batch.Count, .. Enumerable.Repeat(1L, (int)own.dim() - 1)]), none, own))];

        Tensor noise = cat(noises).to(device);
        Tensor sigma = tensor(sigmas, device: device);
        // Until the next loss: the backward pass may compute parts of the network anew, and must drop the same.
        dropout?.Step = part;
        Tensor noised = FlowMatching.Interpolate(latents, noise, sigma);
        Tensor velocity = _model.Velocity(noised, condition, new PromptEmbedding(prompts), sigma, _options.Guidance, canvas);
        float[]? weights = _options.Weighting == LossWeighting.None ? null : [.. sigmas.Select(s => CanvasLoss.Weight(_options.Weighting, s))];
        return CanvasLoss.Of(
                velocity, FlowMatching.Velocity(latents, noise), canvas, _model.Frames, _options.ReferenceWeight, _options.TargetWeight, weights)
            .MoveToOuterDisposeScope();
    }

    /// <summary>What decides on the result besides the loop's options.</summary>
    private Dictionary<string, string> Settings(ExampleTable examples)
    {
        Dictionary<string, string> settings = new()
        {
            ["Pairs"] = Text(examples.Count),
            ["Content of the pairs"] = examples.Hash(),
            [nameof(_options.Width)] = Text(_options.Width),
            [nameof(_options.Height)] = Text(_options.Height),
            [nameof(_options.BatchSize)] = Text(_options.BatchSize),
            [nameof(_options.Guidance)] = Text(_options.Guidance),
            [nameof(_options.PromptDropout)] = Text(_options.PromptDropout),
            [nameof(_options.ConditionDropout)] = Text(_options.ConditionDropout),
            [nameof(_options.AdapterDropout)] = Text(_options.AdapterDropout),
            [nameof(_options.Timesteps)] = JsonSerializer.Serialize(_options.Timesteps),
            [nameof(_options.Weighting)] = Text(_options.Weighting),
            [nameof(_options.ReferenceWeight)] = Text(_options.ReferenceWeight),
            [nameof(_options.TargetWeight)] = Text(_options.TargetWeight),
            [nameof(_options.Seed)] = Text(_options.Seed),
            [nameof(_options.MaxTextTokens)] = Text(_options.MaxTextTokens),
        };
        if (_options.InitialAdapterFile is null)
        {
            settings.Add(nameof(_options.Adapter), JsonSerializer.Serialize(_options.Adapter));
        }
        return settings;

        static string Text(object? value) => string.Format(CultureInfo.InvariantCulture, "{0}", value);
    }

    private HeldOutLoss HeldOutLossOf(ExampleStore store, ExampleTable pairs) =>
        new(_model, _options, pairs.Count, new BatchReader(store, pairs, _buckets, _model.Network.Device, pair => [(int)(pair % pairs.Count)]));
}
