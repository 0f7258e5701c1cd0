using Dsd.Curation.Grids;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Stages.Running;

/// <summary>What an option that was left open means for a model.</summary>
internal static class ModelDefaults
{
    public static TextToImageOptions Grid(GridGeneratorOptions options) => options.Sampling ?? (options.Model == TinyModel.Name
        ? new TextToImageOptions { Width = TinyModel.PanelSize * options.Layout.Columns, Height = TinyModel.PanelSize * options.Layout.Rows }
        : new TextToImageOptions());

    public static DsdOptions Frame(DsdGeneratorOptions options) => options.Sampling ?? (options.Model == TinyModel.Name
        ? TinyModel.Sampling
        : new DsdOptions());

    // Brief, for a processor: it goes on from the embedded student, and is not the student's whole training.
    public static LoraTrainingOptions Training(LoraFineTunerOptions options) => options.Training ?? (options.Model == TinyModel.Name
        ? new LoraTrainingOptions
        {
            Width = TinyModel.PanelSize,
            Height = TinyModel.PanelSize,
            Steps = 100,
            BatchSize = 4,
            LearningRate = 1e-4,
            InitialAdapterFile = TinyModel.AdapterFile,
        }
        : new LoraTrainingOptions());

    /// <summary>The adapter's file when the input brings no adapter. Null is none.</summary>
    public static string? AdapterFile(DsdGeneratorOptions options) => options.LoraFile
        ?? (options.ReleaseFolder is { } release ? Path.Combine(release, "pytorch_lora_weights.safetensors") : null)
        ?? (options.Model == TinyModel.Name ? TinyModel.AdapterFile : null);

    /// <summary>What writes prompts, and the client that was asked for it and must be disposed, if there is one.</summary>
    public static (IGridPromptWriter Writer, IDisposable? Client) PromptWriter(GridGeneratorOptions options)
    {
        GridTemplates templates = options.Templates ?? (options.Model == TinyModel.Name ? WorldGridTemplates.Templates : GridTemplates.Default);
        if (options.PromptClient is null)
        {
            return (new TemplateGridPromptWriter(templates), null);
        }
        IChatClient client = ChatClients.Create(options.PromptClient);
        return (new ChatGridPromptWriter(client, new ChatGridPromptWriterOptions { Templates = templates }), client);
    }

    public static IChatClient EmbeddedJudge() => TinyJudge.Load(TinyModel.JudgeFolder);
}
