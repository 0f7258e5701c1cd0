using Dsd.Curation.Grids;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Execution;

/// <summary>What an option left open means for a model.</summary>
internal static class ModelDefaults
{
    public static TextToImageOptions Sheet(GridGeneratorOptions options) => options.Sampling ?? (options.Model == TinyModel.Name
        ? new TextToImageOptions { Width = TinyModel.PanelSize * options.Layout.Columns, Height = TinyModel.PanelSize * options.Layout.Rows }
        : new TextToImageOptions());

    public static DsdOptions Frame(DsdGeneratorOptions options) => options.Sampling ?? (options.Model == TinyModel.Name
        ? TinyModel.Sampling
        : new DsdOptions());

    // Brief, for a processor: it goes on from the embedded student, and is not the student's whole training.
    public static LoraTrainingOptions Training(LoraFineTunerOptions options) => options.Training ?? (options.Model == TinyModel.Name
        ? new LoraTrainingOptions { Width = TinyModel.PanelSize, Height = TinyModel.PanelSize, Steps = 100, BatchSize = 4, LearningRate = 1e-4, InitialAdapterFile = TinyModel.AdapterFile }
        : new LoraTrainingOptions());

    /// <summary>What writes prompts, and the client that was asked for it and must be disposed, if there is one.</summary>
    public static (IGridPromptWriter Writer, IDisposable? Client) PromptWriter(GridGeneratorOptions options)
    {
        GridTemplates templates = options.Templates ?? Library.Templates(options.Model);
        if (options.PromptClient is null)
        {
            return (new TemplateGridPromptWriter(templates), null);
        }
        IChatClient client = ChatClients.Create(options.PromptClient);
        return (new ChatGridPromptWriter(client, new ChatGridPromptWriterOptions { Templates = templates }), client);
    }
}
