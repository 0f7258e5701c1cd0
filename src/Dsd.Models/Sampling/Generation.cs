using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>From requests to pictures, for every backend and model: canvases, noise, condition, steps and decoding.</summary>
/// <typeparam name="T">The backend's tensors.</typeparam>
public sealed class Generation<T>(IModelBackend<T> backend)
    where T : class, IDisposable
{
    /// <summary>The latents of whole canvases that references and prompts give.</summary>
    /// <param name="requests">References, prompts and seeds, at least one.</param>
    /// <param name="options">Frame size, steps and guidance.</param>
    /// <param name="initial">Makes the latents to start from, which are used up; null draws them by the seeds.</param>
    /// <param name="onStep">See <see cref="Sampler.Integrate"/>.</param>
    /// <param name="progress">Called after each step.</param>
    /// <param name="cancellationToken">Looked at between steps, and by a backend that can stop within one.</param>
    public T Latents(
        IReadOnlyList<DsdRequest> requests,
        DsdOptions options,
        Func<Canvas, T>? initial = null,
        Func<int, float, T, T?>? onStep = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        DsdRequest.CheckAll(requests);
        ArgumentNullException.ThrowIfNull(options);
        Canvas canvas = CanvasOf(options);
        cancellationToken.ThrowIfCancellationRequested();
        T latents = initial?.Invoke(canvas) ?? Noise([.. requests.Select(r => r.Seed)], canvas);
        try
        {
            using T condition = Condition(requests, options, cancellationToken);
            DenoiserInputs<T> inputs = new()
            {
                Prompts = [.. requests.Select(r => r.Prompt)],
                Canvas = canvas,
                Sigmas = FlowMatchEulerScheduler.Sigmas(backend.Schedule, options.Steps, canvas.Tokens),
                Condition = condition,
                Guidance = options.Guidance,
                MaxTextTokens = options.MaxTextTokens,
                BlockCache = options.BlockCache,
                CancellationToken = cancellationToken,
            };
            return Denoise(
                inputs, latents, new TrueGuidance(options.ImageGuidance, options.TextGuidance, options.UnguidedSteps), onStep, progress, cancellationToken,
                x => Decode(x, options, cancellationToken));
        }
        catch
        {
            latents.Dispose();
            throw;
        }
    }

    /// <summary>The latents that prompts alone give.</summary>
    public T Latents(
        IReadOnlyList<TextToImageRequest> requests,
        TextToImageOptions options,
        Func<Canvas, T>? initial = null,
        Func<int, float, T, T?>? onStep = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(options);
        if (requests.Count == 0)
        {
            throw new ArgumentException("At least one request is needed, but there is none.", nameof(requests));
        }
        Canvas canvas = CanvasOf(options);
        cancellationToken.ThrowIfCancellationRequested();
        T latents = initial?.Invoke(canvas) ?? Noise([.. requests.Select(r => r.Seed)], canvas);
        DenoiserInputs<T> inputs = new()
        {
            Prompts = [.. requests.Select(r => r.Prompt)],
            Canvas = canvas,
            Sigmas = FlowMatchEulerScheduler.Sigmas(backend.Schedule, options.Steps, canvas.Tokens),
            Guidance = options.Guidance,
            MaxTextTokens = options.MaxTextTokens,
            BlockCache = options.BlockCache,
            CancellationToken = cancellationToken,
        };
        return Denoise(
            inputs, latents, TrueGuidance.None, onStep, progress, cancellationToken, x => Decode(x, options, cancellationToken));
    }

    /// <summary>The results, which are the second frames, of latents of whole canvases.</summary>
    public IReadOnlyList<Picture> Decode(T latents, DsdOptions options, CancellationToken cancellationToken = default) =>
        [.. backend.Decode(latents, CanvasOf(options), cancellationToken).Select(FramesOf(options).Result)];

    /// <summary>The pictures of latents.</summary>
    public IReadOnlyList<Picture> Decode(T latents, TextToImageOptions options, CancellationToken cancellationToken = default) =>
        backend.Decode(latents, CanvasOf(options), cancellationToken);

    /// <summary>Condition tokens: each reference in the first frame, black in the second one.</summary>
    public T Condition(IReadOnlyList<DsdRequest> requests, DsdOptions options, CancellationToken cancellationToken = default) => backend.Encode(
        [.. requests.Select(r => FramesOf(options).Compose(r.Reference))],
        CanvasOf(options),
        options.SampleCondition ? [.. requests.Select(r => r.Seed)] : null,
        cancellationToken);

    /// <summary>Packed noise for each seed: the same for every backend.</summary>
    public T Noise(IReadOnlyList<long> seeds, Canvas canvas)
    {
        float[] tokens = new float[seeds.Count * canvas.LatentSize];
        for (int i = 0; i < seeds.Count; i++)
        {
            LatentPacking.Pack(Sampling.Noise.Normal(seeds[i], canvas.LatentSize), canvas, tokens.AsSpan(i * canvas.LatentSize, canvas.LatentSize));
        }
        return backend.FromTokens(tokens, canvas);
    }

    private T Denoise(
        DenoiserInputs<T> inputs, T noise, TrueGuidance guidance, Func<int, float, T, T?>? onStep, IProgress<SamplingProgress>? progress,
        CancellationToken cancellationToken, Func<T, IReadOnlyList<Picture>> decode)
    {
        try
        {
            using IDenoiser<T> denoiser = backend.Denoiser(inputs);
            return Sampler.Integrate(denoiser, noise, inputs.Sigmas, guidance, onStep, progress, cancellationToken, decode);
        }
        catch
        {
            noise.Dispose();
            throw;
        }
    }

    private TwoFrames FramesOf(DsdOptions options) => new(options.Width, options.Height, backend.Frames);

    private Canvas CanvasOf(DsdOptions options)
    {
        // Each frame has to come out as whole tokens, not only both together.
        backend.CanvasOf(options.Width, options.Height);
        return backend.CanvasOf(FramesOf(options).CanvasWidth, FramesOf(options).CanvasHeight);
    }

    private Canvas CanvasOf(TextToImageOptions options) => backend.CanvasOf(options.Width, options.Height);
}
