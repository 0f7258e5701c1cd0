using System.Numerics.Tensors;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;

namespace Dsd.Onnx.Runtime;

/// <summary>Draws pictures with an exported model: text encoders, transformer and autoencoder through ONNX Runtime, the sampling loop in C#; libtorch is not needed.</summary>
/// <remarks>Sessions are opened when first used and kept until disposal. Calls from several threads at once are safe.</remarks>
public sealed class OnnxPipeline : IDsdModel, ITextToImageModel
{
    private readonly OnnxSessions _sessions;
    private readonly PromptEncoder _prompts;
    private readonly SchedulerConfig _schedule;
    private readonly OnnxManifest _manifest;
    private readonly Action<string>? _warn;

    private OnnxPipeline(OnnxModelFolder folder, OnnxRuntimeOptions options)
    {
        Folder = folder;
        _manifest = folder.Manifest;
        _warn = options.Warn;
        _sessions = new OnnxSessions(folder, options);
        _prompts = new PromptEncoder(folder, _sessions);
        Codec = new PictureCodec(_sessions, _manifest);
        _schedule = ModelFolder.OpenParts(folder.Path).ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json");
    }

    /// <summary>The exported model.</summary>
    public OnnxModelFolder Folder { get; }

    internal PictureCodec Codec { get; }

    /// <summary>Opens an ONNX folder that <see cref="Export.OnnxExporter"/> wrote.</summary>
    /// <exception cref="WeightsException">The folder is none, was written by another version, or a file is missing or cut short.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public static OnnxPipeline Open(string folder, OnnxRuntimeOptions? options = null)
    {
        options ??= new OnnxRuntimeOptions();
        options.Validate();
        return new OnnxPipeline(OnnxModelFolder.Open(folder), options);
    }

    /// <summary>Refuses a provider or device that cannot be had here, before there is a model.</summary>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="NotSupportedException">The provider cannot be had here; the message says why and what to do.</exception>
    public static void RequireProvider(OnnxRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ExecutionProviders.Create(options).Dispose();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The export takes no condition.</exception>
    public IReadOnlyList<Picture> Generate(IReadOnlyList<DsdRequest> requests, DsdOptions options, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Canvas canvas = CheckDsd(requests, options);
        float[] latents = NoiseTokens([.. requests.Select(r => r.Seed)], canvas);
        Draw(requests, options, latents, progress, cancellationToken);
        IReadOnlyList<Picture> canvases = Codec.Decode(latents, canvas);
        return [.. canvases.Select(c => c.Crop(options.Width, 0, options.Width, options.Height))];
    }

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Generate(IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Canvas canvas = CheckText(requests, options);
        float[] latents = NoiseTokens([.. requests.Select(r => r.Seed)], canvas);
        Draw(requests, options, latents, progress, cancellationToken);
        return Codec.Decode(latents, canvas);
    }

    /// <summary>Denoises given latent tokens in place.</summary>
    internal void Draw(IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options, float[] latents, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Canvas canvas = CheckText(requests, options);
        using TransformerBatch plain = Batch(canvas, [.. requests.Select(r => r.Prompt)], options.MaxTextTokens, condition: null, options.Guidance);
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(_schedule, options.Steps, canvas.Tokens);
        for (int step = 0; step < options.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using OnnxTensor velocity = plain.Velocity(_sessions, latents, sigmas[step]);
            FlowMatchEulerScheduler.Step(latents, velocity.Floats, sigmas[step], sigmas[step + 1]);
            progress?.Report(new SamplingProgress(step + 1, options.Steps, sigmas[step]));
        }
    }

    /// <summary>Denoises given latent tokens of whole canvases in place.</summary>
    internal void Draw(IReadOnlyList<DsdRequest> requests, DsdOptions options, float[] latents, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Canvas canvas = CheckDsd(requests, options);
        string[] prompts = [.. requests.Select(r => r.Prompt)];
        float[] condition = Codec.EncodeReferences(requests, canvas, options.SampleCondition);
        bool guided = (options.ImageGuidance != 1f || options.TextGuidance != 1f) && options.UnguidedSteps < options.Steps;
        using TransformerBatch plain = Batch(canvas, prompts, options.MaxTextTokens, condition, options.Guidance);
        using TransformerBatch? passes = guided ? Passes(canvas, prompts, options, condition) : null;
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(_schedule, options.Steps, canvas.Tokens);
        for (int step = 0; step < options.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            TransformerBatch batch = passes is not null && step >= options.UnguidedSteps ? passes : plain;
            using OnnxTensor velocity = batch.Velocity(_sessions, latents, sigmas[step]);
            Span<float> direction = batch == plain ? velocity.Floats : Guide(velocity.Floats, latents.Length, options);
            FlowMatchEulerScheduler.Step(latents, direction, sigmas[step], sigmas[step + 1]);
            progress?.Report(new SamplingProgress(step + 1, options.Steps, sigmas[step]));
        }
    }

    /// <summary>Closes the sessions.</summary>
    public void Dispose() => _sessions.Dispose();

    /// <summary>The rows of true guidance, in one batch: neither prompt nor condition, the condition alone, both.</summary>
    private TransformerBatch Passes(Canvas canvas, string[] prompts, DsdOptions options, float[] condition)
    {
        string[] empty = [.. prompts.Select(_ => "")];
        // With i = 1 the pass without condition cancels out of the formula, and is left out.
        return options.ImageGuidance == 1f
            ? Batch(canvas, [.. empty, .. prompts], options.MaxTextTokens, [.. condition, .. condition], options.Guidance)
            : Batch(canvas, [.. empty, .. empty, .. prompts], options.MaxTextTokens, [.. new float[condition.Length], .. condition, .. condition], options.Guidance);
    }

    /// <summary>v = u + i·(ut − u) + t·(c − ut), in the place of the first; without u where i is 1.</summary>
    private static Span<float> Guide(Span<float> velocities, int size, DsdOptions options)
    {
        Span<float> c = velocities[^size..];
        Span<float> ut = velocities[^(2 * size)..^size];
        TensorPrimitives.Subtract(c, ut, c);
        if (options.ImageGuidance == 1f)
        {
            TensorPrimitives.MultiplyAdd(c, options.TextGuidance, ut, ut);
            return ut;
        }
        Span<float> u = velocities[..size];
        TensorPrimitives.Subtract(ut, u, ut);
        TensorPrimitives.MultiplyAdd(ut, options.ImageGuidance, u, u);
        TensorPrimitives.MultiplyAdd(c, options.TextGuidance, u, u);
        return u;
    }

    private TransformerBatch Batch(Canvas canvas, string[] prompts, int? textTokens, float[]? condition, float guidance) =>
        new(_manifest, canvas, _prompts.Encode(prompts, textTokens ?? _prompts.MostTokens, _warn), condition, guidance);

    private static float[] NoiseTokens(long[] seeds, Canvas canvas)
    {
        float[] tokens = new float[seeds.Length * canvas.LatentSize];
        for (int i = 0; i < seeds.Length; i++)
        {
            float[] noise = Noise.Normal(seeds[i], canvas.LatentSize);
            LatentTokens.Pack(noise, canvas.Channels, canvas.LatentHeight, canvas.LatentWidth, tokens.AsSpan(i * canvas.LatentSize, canvas.LatentSize));
        }
        return tokens;
    }

    private static void RequireWholeSteps(float blockCache)
    {
        if (blockCache != 0)
        {
            throw new ArgumentException($"Option {nameof(DsdOptions.BlockCache)} is {blockCache}, but an ONNX model always runs whole. Set it to 0, or draw with TorchSharp (DsdPipeline, FluxPipeline).");
        }
    }

    private Canvas CheckText(IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(options);
        if (requests.Count == 0)
        {
            throw new ArgumentException("At least one request is needed, but there is none.", nameof(requests));
        }
        RequireWholeSteps(options.BlockCache);
        return new Canvas(_manifest, options.Width, options.Height);
    }

    private Canvas CheckDsd(IReadOnlyList<DsdRequest> requests, DsdOptions options)
    {
        DsdRequest.CheckAll(requests);
        ArgumentNullException.ThrowIfNull(options);
        RequireWholeSteps(options.BlockCache);
        return _manifest.Conditional
            ? new Canvas(_manifest, 2 * options.Width, options.Height)
            : throw new InvalidOperationException(
                $"The model in '{Folder.Path}' draws from text alone: its transformer takes no reference. Export it with a Diffusion Self-Distillation release or a LoRA that holds a c_embedder, or ask for pictures from text.");
    }
}
