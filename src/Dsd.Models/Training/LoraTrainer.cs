using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>
/// Turns a text-to-image model into one that takes a reference: a LoRA and the condition embedder, trained on pairs of one subject
/// (Diffusion Self-Distillation, section 3.3).
/// </summary>
/// <remarks>
/// The canvas is a sequence of two frames: the left one reconstructs the reference, the right one is the target. Both are noised and
/// denoised together, and both enter the loss unless <see cref="LoraTrainingOptions.Frames"/> says otherwise. The condition is the reference beside black, as in use.
/// Pictures and prompts are encoded once, before the first step, and kept: on the transformer's device as long as they take less than a
/// gigabyte there, otherwise in the host's memory. A pair takes about 5 MB for FLUX at 512 × 512. What a step draws depends on the seed and its number alone, so that a resumed run equals an undisturbed one.
/// </remarks>
public sealed class LoraTrainer
{
    private const long MostBytesOnDevice = 1L << 30;
    private readonly FluxModel _model;
    private readonly LoraTrainingOptions _options;
    private readonly FluxBackend _backend;
    private int[] _order = [];
    private long _orderOf = -1;

    /// <summary>A trainer for a model, which still belongs to the caller. Its own weights do not change.</summary>
    /// <param name="model">A conditional model: see <see cref="FluxModel.LoadConditional"/>.</param>
    /// <param name="options">How to train.</param>
    /// <exception cref="ArgumentException">The transformer takes no condition, is in eight bits or not on its device as a whole, or the frame is not made of whole tokens.</exception>
    public LoraTrainer(FluxModel model, LoraTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (!model.Transformer.Config.Conditional)
        {
            throw new ArgumentException("The transformer takes no condition: load the model with FluxModel.LoadConditional.", nameof(model));
        }
        if (model.Memory != MemoryMode.Resident || model.Transformer.IsFloat8)
        {
            throw new ArgumentException(
                $"Training needs a model that lies on its device in full precision ({nameof(PipelineOptions.Memory)} {nameof(MemoryMode.Resident)}, {nameof(PipelineOptions.Float8)} false), but this one is {model.Memory}{(model.Transformer.IsFloat8 ? " in eight bits" : "")}.",
                nameof(model));
        }
        if (options.Width % model.TokenSide != 0 || options.Height % model.TokenSide != 0)
        {
            throw new ArgumentException($"Options Width and Height must be multiples of {model.TokenSide} for this model, but are {options.Width} × {options.Height}.", nameof(options));
        }
        (_model, _options, _backend) = (model, options, new FluxBackend(model));
    }

    /// <summary>Trains an adapter.</summary>
    /// <param name="pairs">The examples, at least one; read once. Pictures are cut to the frame's aspect ratio and scaled to it.</param>
    /// <param name="progress">Told every <see cref="LoraTrainingOptions.ReportEvery"/> steps and at the last.</param>
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
        TextEmbedding empty = _model.Text.Encode([""], _options.MaxTextTokens);
        using LoraAdapter start = _options.InitialAdapterFile is { } file ? LoraAdapter.Load(file) : LoraAdapter.Create(_model.Transformer, _options.Adapter);
        foreach (string remark in start.Remarks)
        {
            _model.Warn?.Invoke(remark);
        }
        using LoraAttachment attached = start.Attach(_model.Transformer, trainable: true);
        using TrainingLoop loop = new(attached.Parameters.Select(p => p.Parameter), new TrainingLoopOptions
        {
            Steps = _options.Steps,
            PeakLearningRate = _options.LearningRate,
            WarmupSteps = _options.WarmupSteps,
            Optimizer = _options.Optimizer,
            AverageDecay = _options.AverageDecay,
            ReportEvery = _options.ReportEvery,
            Checkpoint = _options.Checkpoint,
        });
        loop.Run(step => Loss(step, examples, empty), progress, cancellationToken);
        return attached.ToAdapter();
    }

    private Tensor Loss(long step, List<Example> examples, TextEmbedding empty)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new((ulong)(_options.Seed * 1_000_003 + step));
        Device device = _model.Transformer.Device;
        Example[] batch = [.. Enumerable.Range(0, _options.BatchSize).Select(i => examples[Chosen(step * _options.BatchSize + i, examples.Count)])];
        Tensor latents = cat(batch.Select(e => e.Latents).ToArray()).to(device); // [batch, tokens, channels]
        Tensor condition = cat(batch.Select(e => e.Condition).ToArray()).to(device);
        Tensor text = cat(batch.Select(e => e.Text).ToArray()).to(device);
        Tensor pooled = cat(batch.Select(e => e.Pooled).ToArray()).to(device);

        // One draw decides both: below the first bound nothing is told, below the second only the reference.
        Tensor drop = rand([batch.Length, 1, 1], generator: random).to(device);
        condition = where(drop.less(_options.ConditionDropout), zeros_like(condition), condition);
        Tensor wordless = drop.less(_options.ConditionDropout + _options.PromptDropout);
        text = where(wordless, empty.Text, text);
        pooled = where(wordless.squeeze(2), empty.Pooled, pooled);

        Tensor noise = randn(latents.shape, generator: random).to(device);
        float[] normal = randn(batch.Length, generator: random).data<float>().ToArray();
        Tensor sigma = tensor(FlowMatching.Sigmas(normal, FlowMatchEulerScheduler.Mu(_model.Scheduler, (int)latents.shape[1])), device: device);
        Tensor? guidance = _model.Transformer.Config.GuidanceEmbeds ? full(batch.Length, _options.Guidance, device: device) : null;
        int factor = _model.Vae.Config.Factor;
        Tensor velocity = _model.Transformer.forward(
            FlowMatching.Interpolate(latents, noise, sigma),
            condition,
            text,
            pooled,
            sigma,
            guidance,
            LatentPacking.ImageIds(_options.Height / factor, 2 * _options.Width / factor, device),
            LatentPacking.TextIds(text.shape[1], device));
        Tensor target = FlowMatching.Velocity(latents, noise);
        return FlowMatching.Loss(Counted(velocity), Counted(target)).MoveToOuterDisposeScope();

        Tensor Counted(Tensor tokens) => CountedTokens(tokens, _options.Height / _model.TokenSide, _options.Width / _model.TokenSide, _options.Frames);
    }

    /// <summary>The tokens of the frames that count, of a canvas' [batch, rows · 2 · columns, channels], which run row by row over both frames.</summary>
    internal static Tensor CountedTokens(Tensor tokens, long rows, long columns, FrameLoss frames) =>
        frames == FrameLoss.Both ? tokens : tokens.unflatten(1, rows, 2 * columns).narrow(2, columns, columns).flatten(1, 2);

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
        Device home = _model.Transformer.Device;
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
        TwoFrames frames = new(_options.Width, _options.Height, _backend.Frames);
        Canvas canvas = _backend.CanvasOf(frames.CanvasWidth, frames.CanvasHeight);
        Tensor latents = _backend.Encode([.. pairs.Select(p => frames.Compose(p.Reference, p.Target))], canvas); // [pairs, tokens, channels]
        Tensor conditions = _backend.Encode([.. pairs.Select(p => frames.Compose(p.Reference))], canvas);
        TextEmbedding text = _model.Text.Encode([.. pairs.Select(p => p.Prompt)], _options.MaxTextTokens, _model.Warn);
        return
        [
            .. pairs.Select((_, i) => new Example(Row(latents, i), Row(conditions, i), Row(text.Text, i), Row(text.Pooled, i))),
        ];

        // A copy, since a view would keep the whole batch.
        static Tensor Row(Tensor batch, long row) => batch.narrow(0, row, 1).clone().MoveToOuterDisposeScope();
    }

    /// <summary>A pair as the model sees it: both frames, the condition, and the prompt, [1, …] each.</summary>
    private sealed record Example(Tensor Latents, Tensor Condition, Tensor Text, Tensor Pooled)
    {
        private Tensor[] All => [Latents, Condition, Text, Pooled];

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
            return new Example(moved[0], moved[1], moved[2], moved[3]);
        }
    }
}
