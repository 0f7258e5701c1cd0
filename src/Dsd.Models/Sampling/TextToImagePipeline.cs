using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>Text to image with a plain model: the teacher. Several threads may generate at once.</summary>
public sealed class TextToImagePipeline : ITextToImageModel
{
    /// <summary>A pipeline over a model, which it takes over and disposes.</summary>
    /// <exception cref="ArgumentException">The model is a conditional one.</exception>
    public TextToImagePipeline(DiffusionModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Network.IsConditional)
        {
            throw new ArgumentException($"Text to image needs a plain transformer, but this one takes a condition. Use {nameof(DsdPipeline)}.", nameof(model));
        }
        Model = model;
        Generation = new Generation<Tensor>(model);
    }

    /// <summary>The model.</summary>
    public DiffusionModel Model { get; }

    internal Generation<Tensor> Generation { get; }

    /// <summary>Loads a pipeline's folder in diffusers' layout.</summary>
    /// <param name="folder">The folder with <c>model_index.json</c>.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    public static TextToImagePipeline Load(string folder, PipelineOptions? options = null) => new(DiffusionModel.Load(folder, options));

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
    /// <param name="progress">Called after each step.</param>
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
        using DisposeScope scope = NewDisposeScope();
        return Generation.Latents(
            requests, options, LatentOptions.Start(latents, requests.Count, Model.Network.Device), LatentOptions.Hook(latents, options.Steps), progress,
            cancellationToken)
            .DetachFromDisposeScope();
    }

    /// <summary>The pictures of latents.</summary>
    /// <param name="latents">[batch, tokens, channels], as <see cref="GenerateLatents"/> gives them.</param>
    /// <param name="options">The size that they were drawn in.</param>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public IReadOnlyList<Picture> Decode(Tensor latents, TextToImageOptions options)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(options);
        return Generation.Decode(latents, options);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();
}
