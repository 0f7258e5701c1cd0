using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Imaging;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>Text to image with a plain FLUX model: the teacher. Several threads may generate at once.</summary>
public sealed class FluxPipeline : ITextToImageModel
{
    /// <summary>A pipeline over a model, which it takes over and disposes.</summary>
    /// <exception cref="ArgumentException">The model is a conditional one.</exception>
    public FluxPipeline(FluxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Transformer.Config.Conditional)
        {
            throw new ArgumentException($"Text to image needs a plain transformer, but this one takes a condition. Use {nameof(DsdPipeline)}.", nameof(model));
        }
        Model = model;
    }

    /// <summary>The model.</summary>
    public FluxModel Model { get; }

    /// <summary>Loads a pipeline's folder in diffusers' layout.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    public static FluxPipeline Load(string folder, PipelineOptions? options = null) => new(FluxModel.Load(folder, options));

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There is no request, or the size does not come out as whole tokens.</exception>
    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<TextToImageRequest> requests,
        TextToImageOptions options,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        using Tensor latents = GenerateLatents(requests, options, null, progress, cancellationToken);
        return Decode(latents, options);
    }

    /// <summary>Draws as <see cref="Generate"/> does, as far as the latents.</summary>
    /// <param name="requests">Prompts and seeds, at least one.</param>
    /// <param name="options">Size, steps and guidance, for the whole batch.</param>
    /// <param name="latents">Where to start from, and who looks on. Null: from the seeds, nobody.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>Latents [batch, tokens, channels], float32, for <see cref="Decode"/>. The caller's to dispose.</returns>
    /// <exception cref="ArgumentException">There is no request, the size does not come out as whole tokens, or latents have another shape.</exception>
    public Tensor GenerateLatents(
        IReadOnlyList<TextToImageRequest> requests,
        TextToImageOptions options,
        LatentOptions? latents = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(options);
        if (requests.Count == 0)
        {
            throw new ArgumentException("At least one request is needed, but there is none.", nameof(requests));
        }
        Sampler.RequireWholeTokens(Model, options.Width, options.Height);
        cancellationToken.ThrowIfCancellationRequested();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (int height, int width) = LatentSize(options);
        Tensor noise = Sampler.Initial(latents?.Initial, requests.Select(r => r.Seed), Model, height, width);
        return Denoise([.. requests.Select(r => r.Prompt)], noise, options, progress, latents?.OnStep, cancellationToken).DetachFromDisposeScope();
    }

    /// <summary>The pictures of latents.</summary>
    /// <param name="latents">[batch, tokens, channels], as <see cref="GenerateLatents"/> gives them.</param>
    /// <param name="options">The size that they were drawn in.</param>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public IReadOnlyList<Picture> Decode(Tensor latents, TextToImageOptions options)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(options);
        (int height, int width) = LatentSize(options);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using IDisposable? vae = Model.WithVae();
        return PictureTensors.ToPictures(Sampler.Decode(Model.Vae, latents, height, width));
    }

    /// <summary>Latents [batch, tokens, channels] from given noise of the same shape.</summary>
    internal Tensor Denoise(
        IReadOnlyList<string> prompts, Tensor noise, TextToImageOptions options, IProgress<SamplingProgress>? progress = null, Func<SamplingStep, Tensor?>? onStep = null, CancellationToken cancellationToken = default)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        FluxTransformer transformer = Model.Transformer;
        TextEmbedding text = Model.Text.Encode(prompts, options.MaxTextTokens, Model.Warn);
        float[] sigmas = FlowMatchEulerScheduler.Sigmas(Model.Scheduler, options.Steps, (int)noise.shape[1]);
        Tensor imageIds = LatentPacking.ImageIds(options.Height / Model.Vae.Config.Factor, options.Width / Model.Vae.Config.Factor, transformer.Device);
        Tensor textIds = LatentPacking.TextIds(text.Text.shape[1], transformer.Device);
        Tensor? guidance = transformer.Config.GuidanceEmbeds ? full(prompts.Count, options.Guidance, device: transformer.Device) : null;
        using FluxConditioning shared = transformer.Embed(null, text.Text, text.Pooled, Sampler.Levels(sigmas, prompts.Count, transformer.Device), guidance, imageIds, textIds, options.BlockCache);

        Tensor Velocity(int step, Tensor x) => transformer.forward(x, shared, step);
        return Sampler.Integrate(noise, sigmas, Velocity, progress, onStep, cancellationToken).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();

    private (int Height, int Width) LatentSize(TextToImageOptions options) => (options.Height / Model.Vae.Config.Factor, options.Width / Model.Vae.Config.Factor);
}
