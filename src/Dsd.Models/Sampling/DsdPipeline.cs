using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Imaging;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>
/// Reference and text to image with a conditional FLUX model: the distilled student. The canvas holds two frames; the left one becomes
/// the reference again, the right one the result. Several threads may generate at once.
/// </summary>
public sealed class DsdPipeline : IDsdModel
{
    /// <summary>A pipeline over a model, which it takes over and disposes.</summary>
    /// <exception cref="ArgumentException">The model is not a conditional one.</exception>
    public DsdPipeline(FluxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Transformer.Config.Conditional)
        {
            throw new ArgumentException("A reference needs a conditional transformer, but this one takes none. Build it with Conditional = true.", nameof(model));
        }
        Model = model;
    }

    /// <summary>The model.</summary>
    public FluxModel Model { get; }

    /// <summary>Loads a conditional model.</summary>
    /// <param name="baseFolder">A FLUX pipeline's folder in diffusers' layout, for all parts but perhaps the transformer.</param>
    /// <param name="dsdFolder">A DSD release folder, whose transformer is used; null for the pipeline's own, whose <c>c_embedder</c> is
    /// zero unless its checkpoint or the adapter brings one.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    public static DsdPipeline Load(string baseFolder, string? dsdFolder = null, PipelineOptions? options = null) =>
        new(FluxModel.LoadConditional(baseFolder, dsdFolder, options));

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There is no request, a reference is smaller than <see cref="DsdRequest.LeastReferenceSide"/>, or
    /// the size does not come out as whole tokens.</exception>
    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<DsdRequest> requests,
        DsdOptions options,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        using Tensor latents = GenerateLatents(requests, options, null, progress, cancellationToken);
        return Decode(latents, options);
    }

    /// <summary>Draws as <see cref="Generate"/> does, as far as the latents of the whole canvases.</summary>
    /// <param name="requests">References, prompts and seeds, at least one.</param>
    /// <param name="options">Frame size, steps and guidance, for the whole batch.</param>
    /// <param name="latents">Where to start from, and who looks on. Null: from the seeds, nobody.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>Latents [batch, tokens, channels], float32, row by row over both frames, for <see cref="Decode"/>. The caller's to dispose.</returns>
    /// <exception cref="ArgumentException">There is no request, a reference is smaller than <see cref="DsdRequest.LeastReferenceSide"/>, the size does not come out as whole
    /// tokens, or latents have another shape.</exception>
    public Tensor GenerateLatents(
        IReadOnlyList<DsdRequest> requests,
        DsdOptions options,
        LatentOptions? latents = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        DsdRequest.CheckAll(requests);
        ArgumentNullException.ThrowIfNull(options);
        Sampler.RequireWholeTokens(Model, options.Width, options.Height);
        cancellationToken.ThrowIfCancellationRequested();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (int height, int width) = CanvasSize(options);
        Tensor noise = Sampler.Initial(latents?.Initial, requests.Select(r => r.Seed), Model, height, width);
        Tensor condition = EncodeCondition(requests, options);
        return Denoise([.. requests.Select(r => r.Prompt)], condition, noise, options, progress, latents?.OnStep, cancellationToken).DetachFromDisposeScope();
    }

    /// <summary>The results, which are the right frames, of latents.</summary>
    /// <param name="latents">[batch, tokens, channels], as <see cref="GenerateLatents"/> gives them.</param>
    /// <param name="options">The frame size that they were drawn in.</param>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public IReadOnlyList<Picture> Decode(Tensor latents, DsdOptions options)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(options);
        using DisposeScope scope = NewDisposeScope();
        return PictureTensors.ToPictures(DecodeResult(latents, options));
    }

    /// <summary>Condition tokens [batch, tokens, channels]: the reference in the left frame, black in the right one, encoded and packed.</summary>
    internal Tensor EncodeCondition(IReadOnlyList<DsdRequest> requests, DsdOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (int height, int width) = CanvasSize(options);
        using IDisposable? vae = Model.WithVae();
        List<Tensor> latents = [];
        foreach (DsdRequest[] part in requests.Chunk(Sampler.CanvasesAtOnce(2 * options.Width, options.Height)))
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor references = PictureTensors.FromPictures(
                [.. part.Select(r => r.Reference.CropToFit(options.Width, options.Height))], Model.Transformer.Device, Model.Vae.DType());
            Tensor canvases = cat([references, full_like(references, -1)], dim: 3); // [part, 3, height, 2 · width]
            (Tensor mean, Tensor logVariance) = Model.Vae.Encode(canvases);
            Tensor latent = mean.to(ScalarType.Float32); // [part, channels, height / factor, 2 · width / factor]
            if (options.SampleCondition)
            {
                int each = (int)(latent.numel() / part.Length);
                Tensor noise = tensor([.. part.SelectMany(r => Noise.ForCondition(r.Seed, each))], latent.shape, device: latent.device);
                latent = latent + (0.5 * logVariance.to(ScalarType.Float32)).exp() * noise;
            }
            latents.Add(Model.Vae.Scale(latent).MoveToOuterDisposeScope());
        }
        return LatentPacking.Pack(cat(latents, dim: 0)).MoveToOuterDisposeScope();
    }

    /// <summary>Latents of whole canvases [batch, tokens, channels] from given noise and condition of the same shape.</summary>
    internal Tensor Denoise(
        IReadOnlyList<string> prompts, Tensor condition, Tensor noise, DsdOptions options, IProgress<SamplingProgress>? progress = null, Func<SamplingStep, Tensor?>? onStep = null, CancellationToken cancellationToken = default)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (int height, int width) = CanvasSize(options);
        Device device = Model.Transformer.Device;
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(Model.Scheduler, options.Steps, (int)noise.shape[1]);
        Tensor imageIds = LatentPacking.ImageIds(height, width, device);
        TextEmbedding text = Model.Text.Encode(prompts, options.MaxTextTokens, Model.Warn);
        (float i, float t) = (options.ImageGuidance, options.TextGuidance);
        bool anyGuided = (i != 1 || t != 1) && options.UnguidedSteps < options.Steps;

        Passes plain = new(text.Text, text.Pooled, condition);
        // With i = 1 the pass without condition cancels out of the formula, and is left out.
        Passes? guided = anyGuided ? WithEmptyPrompt(plain, withoutCondition: i != 1, options) : null;

        Dictionary<Passes, FluxConditioning> shared = [];
        FluxConditioning Shared(Passes passes)
        {
            if (!shared.TryGetValue(passes, out FluxConditioning? steps))
            {
                long batch = passes.Pooled.shape[0];
                Tensor textIds = LatentPacking.TextIds(passes.Text.shape[1], device);
                Tensor? guidance = Model.Transformer.Config.GuidanceEmbeds ? full(batch, options.Guidance, device: device) : null;
                steps = Model.Transformer.Embed(
                    passes.Condition, passes.Text, passes.Pooled, Sampler.Levels(sigmas, batch, device), guidance, imageIds, textIds, options.BlockCache);
                shared.Add(passes, steps);
            }
            return steps;
        }

        Tensor Predict(int step, Tensor x, Passes passes) =>
            Model.Transformer.forward(x.repeat(passes.Pooled.shape[0] / x.shape[0], 1, 1), Shared(passes), step).to(ScalarType.Float32);

        Tensor Velocity(int step, Tensor x)
        {
            if (guided is null || step < options.UnguidedSteps)
            {
                return Predict(step, x, plain);
            }
            Tensor[] v = Predict(step, x, guided).split(prompts.Count, dim: 0); // (u,) ut, c
            (Tensor ut, Tensor c) = (v[^2], v[^1]);
            Tensor towardsText = t * (c - ut);
            return i == 1 ? ut + towardsText : v[0] + i * (ut - v[0]) + towardsText;
        }
        try
        {
            return Sampler.Integrate(noise, sigmas, Velocity, progress, onStep, cancellationToken).MoveToOuterDisposeScope();
        }
        finally
        {
            foreach (FluxConditioning steps in shared.Values)
            {
                steps.Dispose();
            }
        }
    }

    /// <summary>The right frame of each decoded canvas: [batch, 3, height, width] in about −1…1.</summary>
    internal Tensor DecodeResult(Tensor latents, DsdOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (int height, int width) = CanvasSize(options);
        using IDisposable? vae = Model.WithVae();
        return Sampler.Decode(Model.Vae, latents, height, width).narrow(3, options.Width, options.Width).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();

    /// <summary>Height and width of the canvas' latents.</summary>
    private (int Height, int Width) CanvasSize(DsdOptions options) =>
        (options.Height / Model.Vae.Config.Factor, 2 * options.Width / Model.Vae.Config.Factor);

    /// <summary>One batch of u, ut and c, or of the last two: empty prompt and zeros, empty prompt and condition, prompt and condition.</summary>
    private Passes WithEmptyPrompt(Passes c, bool withoutCondition, DsdOptions options)
    {
        TextEmbedding empty = Model.Text.Encode([""], options.MaxTextTokens);
        Tensor emptyText = empty.Text.expand_as(c.Text);
        Tensor emptyPooled = empty.Pooled.expand_as(c.Pooled);
        return withoutCondition
            ? new Passes(
                cat([emptyText, emptyText, c.Text], dim: 0),
                cat([emptyPooled, emptyPooled, c.Pooled], dim: 0),
                cat([zeros_like(c.Condition), c.Condition, c.Condition], dim: 0))
            : new Passes(
                cat([emptyText, c.Text], dim: 0),
                cat([emptyPooled, c.Pooled], dim: 0),
                cat([c.Condition, c.Condition], dim: 0));
    }

    /// <summary>What the transformer is told beside the latents, for all passes of a step at once.</summary>
    private sealed record Passes(Tensor Text, Tensor Pooled, Tensor Condition);
}
