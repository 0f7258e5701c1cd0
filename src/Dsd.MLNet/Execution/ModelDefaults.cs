using Dsd.Curation.Grids;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;

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

    public static IGridPromptWriter PromptWriter(GridGeneratorOptions options)
    {
        GridTemplates templates = options.Templates ?? Library.Templates(options.Model);
        return options.PromptClient is null
            ? new TemplateGridPromptWriter(templates)
            : new ChatGridPromptWriter(ChatClients.Create(options.PromptClient), new ChatGridPromptWriterOptions { Templates = templates });
    }
}
