using Dsd.Curation.Grids;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Stages.Running;

/// <summary>What an option that was left open means for a model, as its preset says.</summary>
internal static class ModelDefaults
{
    /// <summary>How the panels of a grid lie: as the model wants a task's, and else as the task says.</summary>
    public static GridLayout Layout(GridGeneratorOptions options) => options.Layout
        ?? (options.Task is not { } task ? GridLayout.TwoByTwo : KnownPresets.Curation(options.Model).TaskLayout ?? task.Layout);

    public static TextToImageOptions Grid(GridGeneratorOptions options)
    {
        GridLayout layout = Layout(options);
        TextToImageOptions preset = KnownPresets.Model(options.Model).Grid(layout.Rows, layout.Columns);
        return options.Sampling?.Over(preset) ?? preset;
    }

    public static DsdOptions Frame(DsdGeneratorOptions options)
    {
        DsdOptions preset = KnownPresets.Model(options.Model).Frame;
        DsdOptions frame = options.Sampling?.Over(preset) ?? preset;
        return options.Backend is TorchGeneration torch ? frame with { BlockCache = torch.BlockCache } : frame;
    }

    /// <summary>How an adapter is trained: as the options say, for what they leave out as the model wants it, with a seed for where none is given.</summary>
    public static LoraTrainingOptions Training(LoraFineTunerOptions options, long? seed = null) =>
        options.Training is null && seed is null
            ? KnownPresets.Model(options.Model).Training
            : (options.Training ?? new LoraTrainingOptions()).Over(KnownPresets.Model(options.Model).Training, seed);

    /// <summary>The adapter's file when the input brings no adapter. Null is none.</summary>
    public static string? AdapterFile(DsdGeneratorOptions options) => options.LoraFile
        ?? (options.ReleaseFolder is { } release ? Path.Combine(release, "pytorch_lora_weights.safetensors") : null)
        ?? KnownPresets.Model(options.Model).AdapterFile;

    /// <summary>What writes prompts, and the client that was asked for it and must be disposed, if there is one.</summary>
    public static (IGridPromptWriter Writer, IDisposable? Client) PromptWriter(GridGeneratorOptions options)
    {
        GridTemplates templates = options.Templates
            ?? KnownPresets.Curation(options.Model).Templates?.Invoke() ?? options.Task?.Templates ?? GridTemplates.Default;
        IChatClient? client = options.PromptClient is { } name ? ChatClients.Create(name) : null;
        if (options.Task is { } task)
        {
            return ((task with { Templates = templates }).CreateWriter(client), client);
        }
        return client is null
            ? (new TemplateGridPromptWriter(templates), null)
            : (new ChatGridPromptWriter(client, new ChatGridPromptWriterOptions { Templates = templates }), client);
    }
}
