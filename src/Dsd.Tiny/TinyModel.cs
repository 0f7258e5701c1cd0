using Dsd.Curation.Grids;
using Dsd.Curation.Presets;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Tiny;

/// <summary>The embedded model: FLUX's architecture at small size, in the same file formats.</summary>
public static class TinyModel
{
    /// <summary>The name that stands for the embedded model where a folder is asked for.</summary>
    public const string Name = "tiny";

    /// <summary>Side of a panel or frame in pixels.</summary>
    public const int PanelSize = 128;

    /// <summary>How the embedded student draws, and is measured: true guidance of 2 towards the reference and 2 towards the prompt.</summary>
    public static DsdOptions Sampling { get; } = new() { Width = PanelSize, Height = PanelSize, ImageGuidance = 2, TextGuidance = 2 };

    /// <summary>The embedded teacher: a pipeline folder in diffusers' layout.</summary>
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "dsd-tiny");

    /// <summary>The embedded student: a LoRA with the condition embedder, distilled from the teacher by this library's own method.</summary>
    public static string AdapterFile => Path.Combine(Folder, "dsd", "pytorch_lora_weights.safetensors");

    /// <summary>The embedded judge's folder.</summary>
    public static string JudgeFolder => Path.Combine(Folder, "judge");

    /// <summary>The folder of the embedded attribute classifier, which measures what the others draw.</summary>
    public static string ClassifierFolder => Path.Combine(Folder, "classifier");

    /// <summary>Where the model's files lie, and how it is drawn with and trained: teacher and student.</summary>
    public static ModelPreset Preset { get; } = new()
    {
        Name = Name,
        Folder = Folder,
        AdapterFile = AdapterFile,
        Panel = new TextToImageOptions { Width = PanelSize, Height = PanelSize },
        Frame = Sampling,
        // Short enough for a processor: it continues from the embedded student, and is not the student's whole training.
        Training = new LoraTrainingOptions
        {
            Width = PanelSize,
            Height = PanelSize,
            Steps = 100,
            BatchSize = 4,
            LearningRate = 1e-4,
            InitialAdapterFile = AdapterFile,
        },
    };

    /// <summary>How pairs are curated with it: the words that it was trained on, pairs of panels, its judge, and captions of its small world.</summary>
    public static CurationPreset Curation { get; } = new()
    {
        Name = Name,
        Title = "embedded model",
        Templates = () => WorldGridTemplates.Templates,
        TaskLayout = GridLayout.OneByTwo,
        Layouts = [GridLayout.OneByTwo, GridLayout.TwoByTwo],
        Judge = () => TinyJudge.Load(JudgeFolder),
        Evaluator = () => TinyEvaluator.Load(),
        Enhancer = () => TinyEnhancer.Load(),
        Captions = WorldCaptions.Of,
    };

    /// <summary>
    /// Makes <see cref="Name"/> known to this process as a model and for curation. Any thread may call it, any number of times. Dsd.MLNet does so by itself; a
    /// program without it calls this at its start.
    /// </summary>
    /// <exception cref="ArgumentException">The name was given to another model.</exception>
    public static void Register()
    {
        ModelPresets.Register(Preset);
        CurationPresets.Register(Curation);
    }
}
