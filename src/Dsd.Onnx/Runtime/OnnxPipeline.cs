using Dsd.Common.Options;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Draws pictures with an exported model: text encoders, transformer and autoencoder through ONNX Runtime, the sampling loop in C#; libtorch is
/// not needed.
/// </summary>
/// <remarks>
/// Sessions are opened when first used and kept until disposal, or closed while they are idle (<see cref="OnnxRuntimeOptions.Memory"/>). Calls from several
/// threads at once are safe and share them. A cancelled call ends within a step.
/// </remarks>
public sealed class OnnxPipeline : IDsdModel, ITextToImageModel
{
    private OnnxPipeline(OnnxModelFolder folder, OnnxModel model) => (Folder, Model, Generation) = (folder, model, new Generation<OnnxTensor>(model));

    /// <summary>The exported model.</summary>
    public OnnxModelFolder Folder { get; }

    /// <summary>
    /// Where the nodes of the components run, as their sessions say, of each component that was opened so far: none before the first picture. Operators that
    /// were left to the processor are a warning too (<see cref="OnnxRuntimeOptions.Warn"/>).
    /// </summary>
    public IReadOnlyList<OnnxPlacement> Placements => Model.Sessions.Placements;

    /// <summary>Whether it draws from a reference: the export is a student, or an adapter of <see cref="WithAdapters"/> made it one.</summary>
    public bool TakesReference => Model.IsConditional;

    internal OnnxModel Model { get; }

    internal Generation<OnnxTensor> Generation { get; }

    /// <summary>Opens an ONNX folder that <see cref="Export.OnnxExporter"/> wrote.</summary>
    /// <exception cref="WeightsException">The folder is none, was written by another version, or a file is missing or cut short.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public static OnnxPipeline Open(string folder, OnnxRuntimeOptions? options = null)
    {
        options ??= new OnnxRuntimeOptions();
        options.Validate();
        OnnxModelFolder opened = OnnxModelFolder.Open(folder);
        return new OnnxPipeline(opened, new OnnxModel(opened, options));
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
        if (!Model.IsConditional)
        {
            throw new InvalidOperationException(Folder.TakesAdapters
                ? $"The model in '{Folder.Path}' draws from text alone until an adapter holds a c_embedder for it, and none given does. "
                    + $"Give one ({nameof(WithAdapters)}, 'dsd generate --lora'), or ask for pictures from text."
                : $"The model in '{Folder.Path}' draws from text alone: its transformer takes no reference. "
                    + "Export it with a Diffusion Self-Distillation release or a LoRA that holds a c_embedder, or ask for pictures from text.");
        }
        using OnnxTensor latents = Generation.Latents(requests, options, progress: progress, cancellationToken: cancellationToken);
        return Generation.Decode(latents, options, cancellationToken);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options, IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireWholeSteps(options.BlockCache);
        using OnnxTensor latents = Generation.Latents(requests, options, progress: progress, cancellationToken: cancellationToken);
        return Generation.Decode(latents, options, cancellationToken);
    }

    /// <summary>
    /// A pipeline that draws with adapters, over the sessions of this one: for a model that was exported with inputs for them
    /// (<see cref="Export.OnnxExportOptions.AdapterInputs"/>). Several such pipelines may draw at once, each with its own adapters. Their factors lie beside
    /// the model's weights until the new pipeline is disposed, which leaves the sessions open; this one must be disposed last. The transformer is opened for
    /// it.
    /// </summary>
    /// <param name="adapters">
    /// The adapters, with their strengths: over the transformer's linear layers alone, but those that make the modulation. One of them may hold the
    /// <c>c_embedder</c> whole, which takes the model's place at any strength. None draws as this pipeline does.
    /// </param>
    /// <param name="cancellationToken">Checked between layers.</param>
    /// <exception cref="InvalidOperationException">The model has no inputs for adapters.</exception>
    /// <exception cref="WeightsException">A file is no adapter, does not fit the model, or holds what has no input: all of it is listed.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public OnnxPipeline WithAdapters(IReadOnlyList<LoraUse> adapters, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        return Folder.TakesAdapters
            ? new OnnxPipeline(Folder, Model.With(adapters, cancellationToken))
            : throw new InvalidOperationException(
                $"The model in '{Folder.Path}' has no inputs for adapters. Merge them into it ('dsd merge'), or export it with "
                    + $"{nameof(Export.OnnxExportOptions.AdapterInputs)} ('dsd export --adapter-inputs').");
    }

    /// <summary>
    /// Opens the sessions and runs each as often as it takes to meet every size of a generation, so that the first picture from a reference waits for
    /// nothing: providers choose or build their kernels at a size's first run. What <see cref="OnnxMemoryMode.IdleClosed"/> closes is opened again later.
    /// </summary>
    /// <param name="options">Frame size, guidance and the rest of what will be drawn.</param>
    /// <param name="pictures">How many are drawn together, 1 to 256.</param>
    /// <param name="cancellationToken">Ends the work, within a step too.</param>
    /// <exception cref="InvalidOperationException">The export takes no condition.</exception>
    public void WarmUp(DsdOptions options, int pictures = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        const int Side = DsdRequest.LeastReferenceSide;
        Picture black = new(Side, Side, new byte[3 * Side * Side]);
        // Guided steps run more rows, and come after those that are not guided.
        int steps = options is { ImageGuidance: 1, TextGuidance: 1 } ? 1 : Math.Min(options.Steps, options.UnguidedSteps + 1);
        Generate(Copies(new DsdRequest(black, "", 0), pictures), options with { Steps = steps }, null, cancellationToken);
    }

    /// <summary>As the other <c>WarmUp</c>, for pictures from text alone.</summary>
    public void WarmUp(TextToImageOptions options, int pictures = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Generate(Copies(new TextToImageRequest("", 0), pictures), options with { Steps = 1 }, null, cancellationToken);
    }

    /// <summary>Closes the sessions; a pipeline with adapters frees these alone.</summary>
    public void Dispose() => Model.Dispose();

    private static T[] Copies<T>(T request, int pictures) => [.. Enumerable.Repeat(request, OptionCheck.Range(pictures, 1, 256, nameof(pictures)))];

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
