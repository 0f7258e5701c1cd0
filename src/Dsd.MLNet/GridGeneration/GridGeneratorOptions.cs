using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Curation.Grids;
using Dsd.Curation.Tasks;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Rows;
using Dsd.Models.Families;
using Dsd.Models.Sampling;

namespace Dsd.MLNet;

/// <summary>How a <see cref="GridGenerator"/> draws grids: the model, the words, the columns.</summary>
public sealed record GridGeneratorOptions
{
    /// <summary>
    /// The teacher: <c>tiny</c>, the default, is the embedded model; anything else the name of another preset (<see cref="ModelPresets"/>) or a pipeline
    /// folder in diffusers' layout.
    /// </summary>
    public string Model { get; init => field = OptionCheck.Text(value, nameof(Model)); } = "tiny";

    /// <summary>
    /// Where the teacher runs: <c>cpu</c>, or <c>cuda</c>, <c>cuda:1</c> and so on. Null, the default: the GPU that <c>MLContext.GpuDeviceId</c> names, and the
    /// processor where it names none. Without that GPU, <c>MLContext.FallbackToCpu</c> says whether the processor takes its place or an error is given.
    /// The device that is given here goes before the context's, and is an error where it is missing.
    /// </summary>
    public string? Device { get; init => field = value is null ? null : StageOptionCheck.Device(value, nameof(Device)); }

    /// <summary>
    /// How TorchSharp holds the teacher: type, files, adapters, memory. Default: 32-bit, whole. Device and warnings are the stage's, so
    /// <see cref="PipelineOptions.Device"/> and <see cref="PipelineOptions.Warn"/> must be null.
    /// </summary>
    public PipelineOptions Torch { get; init => field = StageOptionCheck.Pipeline(value, nameof(Torch)); } = new();

    /// <summary>
    /// What the grids are for (<see cref="CurationTask.Load"/>, as <c>dsd curate --task</c>): their layout, the words around a caption and the
    /// instructions to <see cref="PromptClient"/>. Saved with the model. Null, the default, is none. With the embedded model, as with <c>dsd
    /// curate</c>, panels lie 1×2 and the words stay the model's.
    /// </summary>
    public CurationTask? Task { get; init; }

    /// <summary>
    /// How the panels lie on a grid. Null, the default: as the <see cref="Task"/> says, and 2×2, the paper's usual grid, without one. Refused beside
    /// a task.
    /// </summary>
    public GridLayout? Layout { get; init; }

    /// <summary>
    /// Size, steps and guidance of a grid. What is left out, by null or within, is what suits the model: 1024 × 1024 and 28 steps for a folder.
    /// </summary>
    public TextToImageOptions? Sampling { get; init; }

    /// <summary>
    /// The words around a caption. Null, the default: the <see cref="Task"/>'s, and those that suit the model without one. Refused beside a task.
    /// </summary>
    public GridTemplates? Templates { get; init; }

    /// <summary>
    /// The name of a registered chat client (<see cref="ChatClients"/>) that invents subjects and scenes for each caption, as the paper does.
    /// Null, the default: templates alone, without a network.
    /// </summary>
    public string? PromptClient { get; init => field = OptionCheck.TextOrNull(value, nameof(PromptClient)); }

    /// <summary>Grids that are drawn together, 1 to 256. Reading one row then draws those after it too. Default 4.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 256, nameof(BatchSize)); } = 4;

    /// <summary>
    /// Mixed with each row's caption and <see cref="SeedColumn"/>: the same seed and row start from the same noise, wherever the row stands. Null,
    /// the default: the context's (<c>new MLContext(seed)</c>), and 0 where it has none. A fitted stage keeps the seed that it was fitted with, also when it is
    /// saved.
    /// A batch of another size adds in another order, so a grid that is drawn with more or fewer others may differ by rounding, as a rule by one or two of
    /// 255 in some pixels. That concerns another <see cref="BatchSize"/>, the last rows of a view, which may be fewer, and PredictionEngine, which takes one
    /// row at a time.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>
    /// Grids a caption, 1 to 1000. With more than 1 each row gives so many, numbered from 0 in <see cref="NumberColumn"/>. The nth starts from the row's seed
    /// plus n, so it is the same however many are asked for. The stage then no longer maps rows one to one, so <c>PredictionEngine</c> refuses it. Default 1.
    /// </summary>
    public int Count { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(Count)); } = 1;

    /// <summary>The added Int64 column with the number of the picture, from 0, where <see cref="Count"/> is more than 1. Default <c>Number</c>.</summary>
    public string NumberColumn { get; init => field = OptionCheck.Text(value, nameof(NumberColumn)); } = "Number";

    /// <summary>What becomes of rows that cannot be drawn because of what they hold. Default <see cref="BadRows.Fail"/>.</summary>
    public BadRows BadRows { get; init => field = OptionCheck.Defined(value, nameof(BadRows)); }

    /// <summary>The added text column that says what is wrong with a row, for <see cref="BadRows.Mark"/>. Default <c>Error</c>.</summary>
    public string ErrorColumn { get; init => field = OptionCheck.Text(value, nameof(ErrorColumn)); } = "Error";

    /// <summary>The text column with the caption of the subject. Default <c>Caption</c>.</summary>
    public string CaptionColumn { get; init => field = OptionCheck.Text(value, nameof(CaptionColumn)); } = "Caption";

    /// <summary>An Int64 column that tells rows with the same caption apart, so that each gets a grid of its own. Null, the default, is none.</summary>
    public string? SeedColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(SeedColumn)); }

    /// <summary>The added text column with the prompt of the grid. Default <c>GridPrompt</c>.</summary>
    public string GridPromptColumn { get; init => field = OptionCheck.Text(value, nameof(GridPromptColumn)); } = "GridPrompt";

    /// <summary>The added column with one text a panel, row by row. Default <c>PanelCaptions</c>.</summary>
    public string PanelCaptionsColumn { get; init => field = OptionCheck.Text(value, nameof(PanelCaptionsColumn)); } = "PanelCaptions";

    /// <summary>The added image column with the grid. Default <c>Grid</c>.</summary>
    public string GridColumn { get; init => field = OptionCheck.Text(value, nameof(GridColumn)); } = "Grid";

    /// <summary>Receives a report after each step of sampling. Not saved.</summary>
    [JsonIgnore]
    public IProgress<SamplingProgress>? Progress { get; init; }

    /// <summary>Stops the work between two steps. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What becomes of bad rows, and how many rows are made of one.</summary>
    internal RowPolicy Policy => new(BadRows, ErrorColumn, Count, NumberColumn);
}
