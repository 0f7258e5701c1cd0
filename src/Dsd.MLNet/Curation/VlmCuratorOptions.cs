using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet;

/// <summary>How a <see cref="VlmCurator"/> cuts grids, judges pairs and names its columns.</summary>
public sealed record VlmCuratorOptions
{
    /// <summary>
    /// The name of the chat client that judges (<see cref="ChatClients"/>): <c>tiny</c>, the default, is the embedded judge, which knows
    /// the small world of the embedded model and nothing else. Saved with the model.
    /// </summary>
    public string Judge { get; init => field = OptionCheck.Text(value, nameof(Judge)); } = ChatClients.Embedded;

    /// <summary>
    /// A chat client that judges in place of the one named by <see cref="Judge"/>. It stays the caller's. A client cannot be saved: to save
    /// the fitted curator, register the client under a name instead.
    /// </summary>
    [JsonIgnore]
    public IChatClient? ChatClient { get; init; }

    /// <summary>
    /// A judge in place of a single client: several that vote (<see cref="VotingJudge"/>), or a cheap one before an expensive one
    /// (<see cref="CascadeJudge"/>). Of <see cref="Judging"/> it takes the concurrency alone. It stays the caller's, and cannot be saved.
    /// </summary>
    [JsonIgnore]
    public IPairJudge? PairJudge { get; init; }

    /// <summary>Threshold, flags, concurrency and the request's settings. Beside a <see cref="Task"/>, flags and instructions must be left out.</summary>
    public PairJudgeOptions Judging { get; init => field = value ?? throw new ArgumentNullException(nameof(Judging)); } = new();

    /// <summary>How grids are cut into panels. Without a size there, panels get their share of the grid's size where its column states one.</summary>
    public PanelCutterOptions Cutting { get; init => field = value ?? throw new ArgumentNullException(nameof(Cutting)); } = new();

    /// <summary>
    /// What the pairs are for (<see cref="CurationTask.Load"/>, as <c>dsd curate --task</c>): which panels make a pair, the judge's question, and the
    /// flags that drop a pair. Saved with the model. Null, the default, is none. A <see cref="PairJudge"/> of the caller's own brings its question
    /// and flags itself.
    /// </summary>
    public CurationTask? Task { get; init; }

    /// <summary>
    /// How the panels lie. Null, the default: as the <see cref="GridGenerator"/> noted at the grid's column; where nothing is noted there, as the
    /// <see cref="Task"/> says. Refused beside a task.
    /// </summary>
    public GridLayout? Layout { get; init; }

    /// <summary>
    /// Which panels make a pair, and whether each is the reference of the other once; a pair is judged once either way. Null, the default: as the
    /// <see cref="Task"/> says, and <see cref="PairChoice.Ordered"/>, both, without one. Refused beside a task.
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

    /// <summary>The added Boolean column: whether the pair is kept. Default <c>Kept</c>.</summary>
    public string KeptColumn { get; init => field = OptionCheck.Text(value, nameof(KeptColumn)); } = "Kept";

    /// <summary>The added Single column with the judge's confidence in its verdict, 0 to 1; NaN where it came to none. Default <c>Confidence</c>.</summary>
    public string ConfidenceColumn { get; init => field = OptionCheck.Text(value, nameof(ConfidenceColumn)); } = "Confidence";

    /// <summary>The added text column with one line that says why the pair is kept or not. Default <c>Reason</c>.</summary>
    public string ReasonColumn { get; init => field = OptionCheck.Text(value, nameof(ReasonColumn)); } = "Reason";

    /// <summary>Receives a report after each grid. Not saved.</summary>
    [JsonIgnore]
    public IProgress<CurationProgress>? Progress { get; init; }

    /// <summary>Stops the work between two questions. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }

    /// <summary>The pairs that are made, by option or task.</summary>
    internal PairChoice EffectivePairs => Pairs ?? Task?.Pairs ?? PairChoice.Ordered;

    /// <summary>How a single client is asked, with the task's question and flags.</summary>
    internal PairJudgeOptions EffectiveJudging => Task?.Judging(Judging) ?? Judging;
}
