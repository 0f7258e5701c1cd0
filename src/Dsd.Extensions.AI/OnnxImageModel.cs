using Dsd.Common.Options;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;

namespace Dsd.Extensions.AI;

/// <summary>A folder that <c>dsd export</c> wrote, drawn with by ONNX Runtime. The program needs no libtorch.</summary>
/// <param name="Folder">The folder.</param>
public sealed record OnnxImageModel(string Folder) : ImageModel
{
    /// <summary>The folder.</summary>
    public string Folder { get; init => field = OptionCheck.Text(value, nameof(Folder)); } = OptionCheck.Text(Folder, nameof(Folder));

    /// <summary>Providers, memory and the rest. Default: the processor.</summary>
    public OnnxRuntimeOptions Runtime { get; init => field = value ?? throw new ArgumentNullException(nameof(Runtime)); } = new();

    /// <summary>Adapters, for a model that was exported with inputs for them. Default none.</summary>
    public IReadOnlyList<LoraUse> Adapters { get; init => field = [.. value ?? throw new ArgumentNullException(nameof(Adapters))]; } = [];

    internal override OpenedModel Open()
    {
        OnnxPipeline opened = OnnxPipeline.Open(Folder, Runtime);
        OnnxPipeline drawing = opened;
        try
        {
            drawing = Adapters.Count > 0 ? opened.WithAdapters(Adapters) : opened;
            return Opened(new AdaptedPipeline(opened, drawing), opened.Folder, drawing.TakesReference);
        }
        catch
        {
            new AdaptedPipeline(opened, drawing).Dispose();
            throw;
        }
    }

    private OpenedModel Opened(AdaptedPipeline pipeline, OnnxModelFolder folder, bool takesReference)
    {
        ImageSource source = Source ?? (takesReference ? ImageSource.Reference : ImageSource.Text);
        if (source != ImageSource.Text && !takesReference)
        {
            throw new ArgumentException(
                $"The model in '{Folder}' takes no reference. Export it with a release or an adapter that adds one, or draw from text alone.");
        }
        if (source != ImageSource.Reference && folder.IsConditional)
        {
            throw new ArgumentException(
                $"The model in '{Folder}' is a student: it draws from a reference. Export the model without release and adapter to draw from text, or draw "
                    + "from references alone.");
        }
        return new OpenedModel(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Folder))),
            source == ImageSource.Text ? null : pipeline,
            source == ImageSource.Reference ? null : pipeline,
            new DsdOptions { Width = folder.FrameWidth, Height = folder.FrameHeight },
            folder.TakesGuidance);
    }

    internal override ImageModel Warning(Action<string> warn) => Runtime.Warn is null ? this with { Runtime = Runtime with { Warn = warn } } : this;

    /// <summary>A pipeline, perhaps with adapters, and the one whose sessions it uses: they end together.</summary>
    private sealed class AdaptedPipeline(OnnxPipeline sessions, OnnxPipeline adapted) : IDsdModel, ITextToImageModel
    {
        public IReadOnlyList<Picture> Generate(
            IReadOnlyList<DsdRequest> requests, DsdOptions options, IProgress<SamplingProgress>? progress, CancellationToken cancellationToken) =>
            adapted.Generate(requests, options, progress, cancellationToken);

        public IReadOnlyList<Picture> Generate(
            IReadOnlyList<TextToImageRequest> requests, TextToImageOptions options, IProgress<SamplingProgress>? progress,
            CancellationToken cancellationToken) =>
            adapted.Generate(requests, options, progress, cancellationToken);

        public void Dispose()
        {
            if (!ReferenceEquals(adapted, sessions))
            {
                adapted.Dispose();
            }
            sessions.Dispose();
        }
    }
}
