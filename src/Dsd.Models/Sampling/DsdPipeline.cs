using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>
/// Reference and text to image with a conditional model: the distilled student. The canvas holds two frames; the left one becomes
/// the reference again, the right one the result. Several threads may generate at once.
/// </summary>
public sealed class DsdPipeline : IDsdModel
{
    /// <summary>A pipeline over a model, which it takes over and disposes.</summary>
    /// <exception cref="ArgumentException">The model is not a conditional one.</exception>
    public DsdPipeline(DiffusionModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Network.IsConditional)
        {
            throw new ArgumentException(
                "A reference needs a conditional transformer, but this one takes none. Build it with Conditional = true.", nameof(model));
        }
        Model = model;
        Generation = new Generation<Tensor>(model);
    }

    /// <summary>The model.</summary>
    public DiffusionModel Model { get; }

    internal Generation<Tensor> Generation { get; }

    /// <summary>Loads a conditional model.</summary>
    /// <param name="baseFolder">A pipeline's folder in diffusers' layout, for all parts but perhaps the transformer.</param>
    /// <param name="releaseFolder">A DSD release folder, whose network is used; null for the pipeline's own, whose <c>c_embedder</c> is
    /// zero unless its checkpoint or the adapter brings one.</param>
    /// <param name="options">Device, type and adapter. Null is the defaults.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    public static DsdPipeline Load(string baseFolder, string? releaseFolder = null, PipelineOptions? options = null) =>
        new(DiffusionModel.LoadConditional(baseFolder, releaseFolder, options));

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
    /// <param name="progress">Called after each step.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>Latents [batch, tokens, channels], float32, row by row over both frames, for <see cref="Decode"/>. The caller's to dispose.</returns>
    /// <exception cref="ArgumentException">There is no request, a reference is smaller than <see cref="DsdRequest.LeastReferenceSide"/>, the size
    /// does not come out as whole tokens, or latents have another shape.</exception>
    public Tensor GenerateLatents(
        IReadOnlyList<DsdRequest> requests,
        DsdOptions options,
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

    /// <summary>The results, which are the right frames, of latents.</summary>
    /// <param name="latents">[batch, tokens, channels], as <see cref="GenerateLatents"/> gives them.</param>
    /// <param name="options">The frame size that they were drawn in.</param>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public IReadOnlyList<Picture> Decode(Tensor latents, DsdOptions options)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(options);
        return Generation.Decode(latents, options);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();
}
