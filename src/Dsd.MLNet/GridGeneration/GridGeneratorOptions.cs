using System.Text.Json.Serialization;
using Dsd.Curation.Grids;
using Dsd.MLNet.Stages;
using Dsd.Models.Sampling;

namespace Dsd.MLNet;

/// <summary>How a <see cref="GridGenerator"/> draws sheets: the model, the words, the columns.</summary>
public sealed record GridGeneratorOptions
{
    /// <summary>The teacher: <c>tiny</c>, the default, is the embedded model; anything else a pipeline folder in diffusers' layout.</summary>
    public string Model { get; init => field = OptionCheck.Text(value, nameof(Model)); } = "tiny";

    /// <summary>Where the teacher runs: <c>cpu</c>, the default, or <c>cuda</c>, <c>cuda:1</c> and so on.</summary>
    public string Device { get; init => field = OptionCheck.Device(value, nameof(Device)); } = "cpu";

    /// <summary>How TorchSharp holds the teacher: type, adapters, memory. Default: 32-bit, whole.</summary>
    public TorchOptions Torch { get; init => field = value ?? throw new ArgumentNullException(nameof(Torch)); } = new();

    /// <summary>How the panels lie on a sheet. Default 2×2, the paper's usual sheet.</summary>
    public GridLayout Layout { get; init => field = value ?? throw new ArgumentNullException(nameof(Layout)); } = GridLayout.TwoByTwo;

    /// <summary>Size, steps and guidance of a sheet. Null, the default: what suits the model, 1024 × 1024 and 28 steps for a folder.</summary>
    public TextToImageOptions? Sampling { get; init; }

    /// <summary>The words around a caption. Null, the default: those that suit the model.</summary>
    public GridTemplates? Templates { get; init; }

    /// <summary>
    /// The name of a registered chat client (<see cref="ChatClients"/>) that invents subjects and scenes for each caption, as the paper does.
    /// Null, the default: templates alone, without a network.
    /// </summary>
    public string? PromptClient { get; init => field = OptionCheck.TextOrNull(value, nameof(PromptClient)); }

    /// <summary>Sheets that are drawn together, 1 to 256. Reading one row then draws those after it too. Default 4.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 256, nameof(BatchSize)); } = 4;

    /// <summary>
    /// Mixed with each row's caption and <see cref="SeedColumn"/>: the same seed and row start from the same noise, wherever the row stands. Default 0. A batch of another size adds in
    /// another order, so a sheet that is drawn with more or fewer others may differ by rounding, as a rule by one or two of 255 in some pixels. That concerns another <see cref="BatchSize"/>, the
    /// last rows of a view, which may be fewer, and PredictionEngine, which takes one row at a time.
    /// </summary>
    public long Seed { get; init; }

    /// <summary>The text column with the caption of the subject. Default <c>Caption</c>.</summary>
    public string CaptionColumn { get; init => field = OptionCheck.Text(value, nameof(CaptionColumn)); } = "Caption";

    /// <summary>An Int64 column that tells rows with the same caption apart, so that each gets a sheet of its own. Null, the default, is none.</summary>
    public string? SeedColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(SeedColumn)); }

    /// <summary>The added text column with the prompt of the sheet. Default <c>GridPrompt</c>.</summary>
    public string GridPromptColumn { get; init => field = OptionCheck.Text(value, nameof(GridPromptColumn)); } = "GridPrompt";

    /// <summary>The added column with one text a panel, row by row. Default <c>PanelCaptions</c>.</summary>
    public string PanelCaptionsColumn { get; init => field = OptionCheck.Text(value, nameof(PanelCaptionsColumn)); } = "PanelCaptions";

    /// <summary>The added image column with the sheet. Default <c>Grid</c>.</summary>
    public string GridColumn { get; init => field = OptionCheck.Text(value, nameof(GridColumn)); } = "Grid";

    /// <summary>Told after each step of sampling. Not saved.</summary>
    [JsonIgnore]
    public IProgress<SamplingProgress>? Progress { get; init; }

    /// <summary>Stops the work between two steps. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }
}
