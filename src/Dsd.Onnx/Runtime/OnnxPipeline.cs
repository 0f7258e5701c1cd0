using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Draws pictures with an exported model: text encoders, transformer and autoencoder through ONNX Runtime, the sampling loop in C#; libtorch is
/// not needed.
/// </summary>
/// <remarks>Sessions are opened when first used and kept until disposal. Calls from several threads at once are safe.</remarks>
public sealed class OnnxPipeline : IDsdModel, ITextToImageModel
{
    private OnnxPipeline(OnnxModelFolder folder, OnnxRuntimeOptions options)
    {
        Folder = folder;
        Model = new OnnxModel(folder, options);
        Generation = new Generation<OnnxTensor>(Model);
    }

    /// <summary>The exported model.</summary>
    public OnnxModelFolder Folder { get; }

    /// <summary>
    /// Where the nodes of the components run, as their sessions say, of each component that was opened so far: none before the first picture. Operators that
    /// were left to the processor are a warning too (<see cref="OnnxRuntimeOptions.Warn"/>).
    /// </summary>
    public IReadOnlyList<OnnxPlacement> Placements => Model.Placements;

    internal OnnxModel Model { get; }

    internal Generation<OnnxTensor> Generation { get; }

    /// <summary>Opens an ONNX folder that <see cref="Export.OnnxExporter"/> wrote.</summary>
    /// <exception cref="WeightsException">The folder is none, was written by another version, or a file is missing or cut short.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public static OnnxPipeline Open(string folder, OnnxRuntimeOptions? options = null)
    {
        options ??= new OnnxRuntimeOptions();
        options.Validate();
        return new OnnxPipeline(OnnxModelFolder.Open(folder), options);
    }

    /// <summary>Refuses options of which no provider can be had here, before there is a model.</summary>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="NotSupportedException">None of the providers can be had here; the message says why and what to do.</exception>
    public static void RequireProvider(OnnxRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ExecutionProviders.Choose(options, ProviderAppender.Real);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The export takes no condition.</exception>
    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<DsdRequest> requests, DsdOptions options, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireWholeSteps(options.BlockCache);
        DsdRequest.CheckAll(requests);
        if (!Folder.IsConditional)
        {
            throw new InvalidOperationException(
                $"The model in '{Folder.Path}' draws from text alone: its transformer takes no reference. "
                    + "Export it with a Diffusion Self-Distillation release or a LoRA that holds a c_embedder, or ask for pictures from text.");
        }
        using OnnxTensor latents = Generation.Latents(requests, options, progress: progress, cancellationToken: cancellationToken);
        return Generation.Decode(latents, options);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options, IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireWholeSteps(options.BlockCache);
        using OnnxTensor latents = Generation.Latents(requests, options, progress: progress, cancellationToken: cancellationToken);
        return Generation.Decode(latents, options);
    }

    /// <summary>Closes the sessions.</summary>
    public void Dispose() => Model.Dispose();

    private static void RequireWholeSteps(float blockCache)
    {
        if (blockCache != 0)
        {
            throw new ArgumentException(
                $"Option {nameof(DsdOptions.BlockCache)} is {blockCache}, but an ONNX model always runs whole. Set it to 0, "
                    + "or draw with TorchSharp (DsdPipeline, TextToImagePipeline).");
        }
    }
}
