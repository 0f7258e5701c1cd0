using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.MLNet.Stages.Rows;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet;

/// <summary>What the stages that judge pairs have in common: who judges, how, and the columns of the verdict.</summary>
public abstract record JudgingStageOptions
{
    /// <summary>
    /// The name of the chat client that judges (<see cref="ChatClients"/>): <c>tiny</c>, the default, is the embedded judge, which knows
    /// the small world of the embedded model and nothing else. Saved with the model.
    /// </summary>
    public string Judge { get; init => field = OptionCheck.Text(value, nameof(Judge)); } = ChatClients.Embedded;

    /// <summary>
    /// A chat client that judges in place of the one named by <see cref="Judge"/>. It stays the caller's. A client cannot be saved: to save
    /// the fitted stage, register the client under a name instead.
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

    /// <summary>
    /// What the pairs are for (<see cref="CurationTask.Load"/>, as <c>dsd curate --task</c>): the judge's question, and the flags that drop a pair; for
    /// <see cref="VlmCurator"/> also how panels lie and which of them make a pair. Saved with the model. Null, the default, is none. A
    /// <see cref="PairJudge"/> of the caller's own brings its question and flags itself.
    /// </summary>
    public CurationTask? Task { get; init; }

    /// <summary>The added Boolean column: whether the pair is kept. Default <c>Kept</c>.</summary>
    public string KeptColumn { get; init => field = OptionCheck.Text(value, nameof(KeptColumn)); } = "Kept";

    /// <summary>The added Single column with the judge's confidence in its verdict, 0 to 1; NaN where it came to none. Default <c>Confidence</c>.</summary>
    public string ConfidenceColumn { get; init => field = OptionCheck.Text(value, nameof(ConfidenceColumn)); } = "Confidence";

    /// <summary>The added text column with one line that says why the pair is kept or not. Default <c>Reason</c>.</summary>
    public string ReasonColumn { get; init => field = OptionCheck.Text(value, nameof(ReasonColumn)); } = "Reason";

    /// <summary>
    /// What becomes of rows that cannot be judged because of what they hold. Default <see cref="BadRows.Fail"/>. With <see cref="BadRows.Mark"/>
    /// <see cref="VlmCurator"/> gives one row for a bad grid.
    /// </summary>
    public BadRows BadRows { get; init => field = OptionCheck.Defined(value, nameof(BadRows)); }

    /// <summary>The added text column that says what is wrong with a row, for <see cref="BadRows.Mark"/>. Default <c>Error</c>.</summary>
    public string ErrorColumn { get; init => field = OptionCheck.Text(value, nameof(ErrorColumn)); } = "Error";

    /// <summary>Stops the work between two questions. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }

    /// <summary>How a single client is asked, with the task's question and flags.</summary>
    internal PairJudgeOptions EffectiveJudging => Task?.Judging(Judging) ?? Judging;

    /// <summary>What becomes of bad rows.</summary>
    internal RowPolicy Policy => new(BadRows, ErrorColumn);
}
