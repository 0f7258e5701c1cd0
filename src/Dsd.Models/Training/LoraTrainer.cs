using System.Globalization;
using System.Text.Json;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
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
/// a gigabyte there, otherwise in the host's memory. A pair takes about 5 MB for FLUX at 512 × 512. What is drawn for an example depends on the seed
/// and its place in the sequence of examples alone, so a resumed run equals an uninterrupted one, and batches may be cut in any way; the adapter's
/// dropout alone is drawn for a batch.
/// </remarks>
public sealed class LoraTrainer
{
    private const long MostBytesOnDevice = 1L << 30;
    private readonly DiffusionModel _model;
    private readonly LoraTrainingOptions _options;
    private readonly TwoFrames _frames;
    private readonly Canvas _canvas;
    private int[] _order = [];
    private long _orderOf = -1;

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
        _frames = new TwoFrames(options.Width, options.Height, model.Frames);
        try
        {
            // Each frame has to come out as whole tokens, not only both together.
            model.CanvasOf(options.Width, options.Height);
            _canvas = model.CanvasOf(_frames.CanvasWidth, _frames.CanvasHeight);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Options {nameof(options.Width)} and {nameof(options.Height)}: {e.Message}", nameof(options), e);
        }
    }

    /// <summary>Trains an adapter.</summary>
    /// <param name="pairs">The examples, at least one; read once. Pictures are cut to the frame's aspect ratio and scaled to it.</param>
    /// <param name="progress">Called every <see cref="LoraTrainingOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps; the checkpoint, if any, is written first.</param>
    /// <returns>The adapter, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">There is no pair.</exception>
    public LoraAdapter Train(IEnumerable<TrainingPair> pairs, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using DisposeScope scope = NewDisposeScope();
        List<Example> examples = EncodeAll(pairs, cancellationToken);
        if (examples.Count == 0)
        {
            throw new ArgumentException("There is no pair to train on.", nameof(pairs));
        }
        PromptEmbedding empty = _model.EncodePrompts([""], _options.MaxTextTokens);
        using LoraAdapter start = _options.InitialAdapterFile is { } file ? LoraAdapter.Load(file) : LoraAdapter.Create(_model.Network, _options.Adapter);
        foreach (string remark in start.Remarks)
        {
            _model.Warn?.Invoke(remark);
        }
        LoraDropout? dropout = _options.AdapterDropout > 0 ? new LoraDropout(_options.AdapterDropout, _options.Seed) : null;
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
            Settings = Settings(examples.Count),
            Warn = _model.Warn,
        };
        using TrainingLoop loop = new(attached.Parameters.Select(p => p.Parameter), loopOptions, backward: _model.Network.Backward);
        loop.Run(batch => Loss(batch, examples, empty, dropout), progress, cancellationToken);
        return attached.ToAdapter();
    }

    private Tensor Loss(long batchNumber, List<Example> examples, PromptEmbedding empty, LoraDropout? dropout)
    {
        using DisposeScope scope = NewDisposeScope();
        Device device = _model.Network.Device;
        long first = batchNumber * _options.BatchSize;
        Example[] batch = [.. Enumerable.Range(0, _options.BatchSize).Select(i => examples[Chosen(first + i, examples.Count)])];
        Tensor latents = cat(batch.Select(e => e.Latents).ToArray()).to(device); // [batch, tokens, channels]
        Tensor condition = cat(batch.Select(e => e.Condition).ToArray()).to(device);
        Tensor[] prompts = [.. empty.Parts.Select((_, part) => cat(batch.Select(e => e.Prompt[part]).ToArray()).to(device))]; // [batch, …] each

        // One draw decides both: below the first bound nothing is given, below the second only the reference.
        Tensor[] drops = new Tensor[batch.Length];
        Tensor[] noises = new Tensor[batch.Length];
        float[] sigmas = new float[batch.Length];
        double mu = FlowMatchEulerScheduler.Mu(_model.Schedule, (int)latents.shape[1]);
        for (int i = 0; i < batch.Length; i++)
        {
            using Generator random = new((ulong)(_options.Seed * 1_000_003 + first + i));
            drops[i] = rand([1, 1, 1], generator: random);
            noises[i] = randn([1, .. latents.shape[1..]], generator: random);
            sigmas[i] = _options.Timesteps.Draw(random, mu);
        }
        Tensor drop = cat(drops).to(device);
        condition = where(drop.less(_options.ConditionDropout), zeros_like(condition), condition);
        Tensor wordless = drop.less(_options.ConditionDropout + _options.PromptDropout);
        prompts = [.. prompts.Zip(empty.Parts, (own, none) => where(wordless.view([batch.Length, .. Enumerable.Repeat(1L, (int)own.dim() - 1)]), none, own))];

        Tensor noise = cat(noises).to(device);
        Tensor sigma = tensor(sigmas, device: device);
        // Until the next loss: the backward pass may compute parts of the network anew, and must drop the same.
        dropout?.Step = batchNumber;
        Tensor noised = FlowMatching.Interpolate(latents, noise, sigma);
        Tensor velocity = _model.Velocity(noised, condition, new PromptEmbedding(prompts), sigma, _options.Guidance, _canvas);
        float[]? weights = _options.Weighting == LossWeighting.None ? null : [.. sigmas.Select(s => CanvasLoss.Weight(_options.Weighting, s))];
        return CanvasLoss.Of(
                velocity, FlowMatching.Velocity(latents, noise), _canvas, _model.Frames, _options.ReferenceWeight, _options.TargetWeight, weights)
            .MoveToOuterDisposeScope();
    }

    /// <summary>What decides on the result besides the loop's options.</summary>
    private Dictionary<string, string> Settings(int examples)
    {
        Dictionary<string, string> settings = new()
        {
            ["Pairs"] = Text(examples),
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

    /// <summary>The example of a place in the endless sequence: every pass over the data is a permutation of its own.</summary>
    private int Chosen(long place, int count)
    {
        (long pass, long within) = Math.DivRem(place, count);
        if (pass != _orderOf)
        {
            _order = [.. Enumerable.Range(0, count)];
            new Random(unchecked((int)(_options.Seed * 31 + pass))).Shuffle(_order);
            _orderOf = pass;
        }
        return _order[within];
    }

    /// <summary>As many pairs as have the pixels of four canvases of 512 × 1024, at least one: the encoder's memory grows with them.</summary>
    private int PairsAtOnce => (int)Math.Max(1, 4 * 512L * 1024 / (2L * _options.Width * _options.Height));

    private List<Example> EncodeAll(IEnumerable<TrainingPair> pairs, CancellationToken cancellationToken)
    {
        Device home = _model.Network.Device;
        List<Example> examples = [];
        foreach (TrainingPair[] some in pairs.Chunk(PairsAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            examples.AddRange(Encode(some).Select(e => e.To(home)));
            if (home.type != DeviceType.CPU && examples.Count * examples[0].Bytes > MostBytesOnDevice)
            {
                home = CPU;
                examples = [.. examples.Select(e => e.To(home))];
            }
        }
        return examples;
    }

    private Example[] Encode(TrainingPair[] pairs)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor latents = _model.Encode([.. pairs.Select(p => _frames.Compose(p.Reference, p.Target))], _canvas); // [pairs, tokens, channels]
        Tensor conditions = _model.Encode([.. pairs.Select(p => _frames.Compose(p.Reference))], _canvas);
        PromptEmbedding prompts = _model.EncodePrompts([.. pairs.Select(p => p.Prompt)], _options.MaxTextTokens, _model.Warn);
        return [.. pairs.Select((_, i) => new Example(Row(latents, i), Row(conditions, i), [.. prompts.Parts.Select(part => Row(part, i))]))];

        // A copy, since a view would keep the whole batch.
        static Tensor Row(Tensor batch, long row) => batch.narrow(0, row, 1).clone().MoveToOuterDisposeScope();
    }

    /// <summary>A pair as the model sees it: both frames, the condition, and the prompt, [1, …] each.</summary>
    private sealed record Example(Tensor Latents, Tensor Condition, IReadOnlyList<Tensor> Prompt)
    {
        private Tensor[] All => [Latents, Condition, .. Prompt];

        public long Bytes => All.Sum(t => t.numel() * t.element_size());

        /// <summary>The example on a device. Where it has to move, its own tensors are freed.</summary>
        public Example To(Device device)
        {
            if (Latents.device.type == device.type)
            {
                return this;
            }
            Tensor[] moved = [.. All.Select(t => t.to(device))];
            foreach (Tensor tensor in All)
            {
                tensor.Dispose();
            }
            return new Example(moved[0], moved[1], moved[2..]);
        }
    }
}
