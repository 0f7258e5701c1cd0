using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Curation.Grids;

namespace Dsd.MLNet;

/// <summary>How a <see cref="VlmCurator"/> cuts grids, judges pairs and names its columns.</summary>
public sealed record VlmCuratorOptions : JudgingStageOptions
{
    /// <summary>How grids are cut into panels. Without a size there, panels get their share of the grid's size where its column states one.</summary>
    public PanelCutterOptions Cutting { get; init => field = value ?? throw new ArgumentNullException(nameof(Cutting)); } = new();

    /// <summary>
    /// How the panels lie. Null, the default: as the <see cref="GridGenerator"/> noted at the grid's column; where nothing is noted there, as the
    /// <see cref="JudgingStageOptions.Task"/> says. Refused beside a task.
    /// </summary>
    public GridLayout? Layout { get; init; }

    /// <summary>
    /// Which panels make a pair, and whether each is the reference of the other once; a pair is judged once either way. Null, the default: as the
    /// <see cref="JudgingStageOptions.Task"/> says, and <see cref="PairChoice.Ordered"/>, both, without one. Refused beside a task.
    /// </summary>
    public PairChoice? Pairs { get; init => field = value is { } pairs ? OptionCheck.OneOf(pairs, nameof(Pairs), Enum.GetValues<PairChoice>()) : null; }

    /// <summary>Whether pairs that were not kept give rows too, with <c>Kept</c> false. Default false.</summary>
    public bool IncludeRejected { get; init; }

    /// <summary>The image column with the grid. Default <c>Grid</c>.</summary>
    public string GridColumn { get; init => field = OptionCheck.Text(value, nameof(GridColumn)); } = "Grid";

    /// <summary>
    /// The column with one text a panel. Where the input has none, <see cref="CaptionColumn"/> is the prompt of every pair. Default <c>PanelCaptions</c>.
    /// </summary>
    public string PanelCaptionsColumn { get; init => field = OptionCheck.Text(value, nameof(PanelCaptionsColumn)); } = "PanelCaptions";

    /// <summary>The text column that is read where there are no panel captions. Default <c>Caption</c>.</summary>
    public string CaptionColumn { get; init => field = OptionCheck.Text(value, nameof(CaptionColumn)); } = "Caption";

    /// <summary>The added image column with the panel that shows the subject. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The added image column with the target panel: the subject as the prompt describes it. Default <c>Target</c>.</summary>
    public string TargetColumn { get; init => field = OptionCheck.Text(value, nameof(TargetColumn)); } = "Target";

    /// <summary>The added text column with the target panel's caption. Default <c>Prompt</c>.</summary>
    public string PromptColumn { get; init => field = OptionCheck.Text(value, nameof(PromptColumn)); } = "Prompt";

    /// <summary>Receives a report after each grid. Not saved.</summary>
    [JsonIgnore]
    public IProgress<CurationProgress>? Progress { get; init; }

    /// <summary>The pairs that are made, by option or task.</summary>
    internal PairChoice EffectivePairs => Pairs ?? Task?.Pairs ?? PairChoice.Ordered;
}
