using Dsd.Common.Options;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;

namespace Dsd.Extensions.AI;

/// <summary>A pipeline's folder, drawn with by TorchSharp. The program brings libtorch, by the package TorchSharp-cpu or one for CUDA.</summary>
/// <param name="Model">The folder in diffusers' layout, or the name of a preset such as <c>tiny</c>, which the program has registered.</param>
public sealed record TorchImageModel(string Model) : ImageModel
{
    /// <summary>The folder in diffusers' layout, or the name of a preset such as <c>tiny</c>, which the program has registered.</summary>
    public string Model { get; init => field = OptionCheck.Text(value, nameof(Model)); } = OptionCheck.Text(Model, nameof(Model));

    /// <summary>A release of Diffusion Self-Distillation, whose network takes the place of the model's. Null, the default, is none.</summary>
    public string? ReleaseFolder { get; init => field = OptionCheck.TextOrNull(value, nameof(ReleaseFolder)); }

    /// <summary>
    /// Device, type, adapters and the rest. Default: in 32 bits on the processor. Where no adapter is named, a preset's student takes its own. Adapters are for
    /// drawing from references alone where <see cref="ImageModel.Source"/> is <see cref="ImageSource.Either"/>.
    /// </summary>
    public PipelineOptions Pipeline { get; init => field = value ?? throw new ArgumentNullException(nameof(Pipeline)); } = new();

    internal override OpenedModel Open()
    {
        ModelPreset preset = ModelPresets.Of(Model);
        string folder = ModelPresets.Resolve(preset);
        PipelineOptions student = Pipeline.Loras.Count == 0 && ReleaseFolder is null && preset.AdapterFile is { } own
            ? Pipeline with { Loras = [new LoraUse(own)] }
            : Pipeline;
        ImageSource source = Source ?? (ReleaseFolder is not null || student.Loras.Count > 0 || ModelCheck.Traits(folder).Condition
            ? ImageSource.Reference
            : ImageSource.Text);
        if (source == ImageSource.Text && ReleaseFolder is not null)
        {
            throw new ArgumentException($"{nameof(ReleaseFolder)} is for drawing from references, but {nameof(Source)} is {source}. Leave one of them out.");
        }
        if (source != ImageSource.Text && student.Loras.Count == 0 && ReleaseFolder is null && !ModelCheck.Traits(folder).Condition)
        {
            throw new ArgumentException(
                $"Model '{Model}' takes no reference: it is a plain text-to-image model without an adapter that adds one. Give an adapter with a c_embedder or "
                    + "a release, or draw from text alone.");
        }
        DsdPipeline? fromReference = source == ImageSource.Text ? null : DsdPipeline.Load(folder, ReleaseFolder, student);
        try
        {
            PipelineOptions teacher = source == ImageSource.Either ? Pipeline with { Loras = [] } : Pipeline;
            TextToImagePipeline? fromText = source == ImageSource.Reference ? null : TextToImagePipeline.Load(folder, teacher);
            bool takesGuidance = fromReference?.Model.TakesGuidance ?? fromText!.Model.TakesGuidance;
            return new OpenedModel(NameOf(preset), fromReference, fromText, preset.Frame, takesGuidance);
        }
        catch
        {
            fromReference?.Dispose();
            throw;
        }
    }

    internal override ImageModel Warning(Action<string> warn) => Pipeline.Warn is null ? this with { Pipeline = Pipeline with { Warn = warn } } : this;

    private static string NameOf(ModelPreset preset) =>
        preset.Name == preset.Folder ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(preset.Folder))) : preset.Name;
}
