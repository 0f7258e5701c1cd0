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
    /// <summary>How the panels of a grid lie. The embedded model draws a task's subjects in pairs, as <c>dsd curate</c> has it do.</summary>
    public static GridLayout Layout(GridGeneratorOptions options) => options.Layout
        ?? (options.Task is not { } task ? GridLayout.TwoByTwo : options.Model == TinyModel.Name ? GridLayout.OneByTwo : task.Layout);

    public static TextToImageOptions Grid(GridGeneratorOptions options)
    {
        GridLayout layout = Layout(options);
        return options.Sampling ?? (options.Model == TinyModel.Name
            ? new TextToImageOptions { Width = TinyModel.PanelSize * layout.Columns, Height = TinyModel.PanelSize * layout.Rows }
            : new TextToImageOptions());
    }

    public static DsdOptions Frame(DsdGeneratorOptions options)
    {
        DsdOptions frame = options.Sampling ?? (options.Model == TinyModel.Name ? TinyModel.Sampling : new DsdOptions());
        return options.Backend is TorchGeneration torch ? frame with { BlockCache = torch.BlockCache } : frame;
    }

    // Short enough for a processor: it continues from the embedded student, and is not the student's whole training.
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
        // The embedded model knows its own words alone.
        GridTemplates templates = options.Templates
            ?? (options.Model == TinyModel.Name ? WorldGridTemplates.Templates : options.Task?.Templates ?? GridTemplates.Default);
        IChatClient? client = options.PromptClient is { } name ? ChatClients.Create(name) : null;
        if (options.Task is { } task)
        {
            return ((task with { Templates = templates }).CreateWriter(client), client);
        }
        return client is null
            ? (new TemplateGridPromptWriter(templates), null)
            : (new ChatGridPromptWriter(client, new ChatGridPromptWriterOptions { Templates = templates }), client);
    }

    public static IChatClient EmbeddedJudge() => TinyJudge.Load(TinyModel.JudgeFolder);
}
