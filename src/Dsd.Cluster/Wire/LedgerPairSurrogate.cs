using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Wire;

[GenerateSerializer, Alias("dsd.pair")]
internal struct LedgerPairSurrogate
{
    [Id(0)] public string Id;
    [Id(1)] public string PromptId;
    [Id(2)] public int First;
    [Id(3)] public int Second;
    [Id(4)] public bool IsDecided;
    [Id(5)] public Verdict? Verdict;
    [Id(6)] public bool Kept;
    [Id(7)] public double Confidence;
    [Id(8)] public string Reason;
    [Id(9)] public JudgeVote[] Votes;
}

/// <summary>Judged pairs as they travel. A person's review is no worker's to send.</summary>
[RegisterConverter]
internal sealed class LedgerPairConverter : IConverter<LedgerPair, LedgerPairSurrogate>
{
    public LedgerPair ConvertFromSurrogate(in LedgerPairSurrogate surrogate) => new(surrogate.Id, surrogate.PromptId, surrogate.First, surrogate.Second, new PairJudgement
    {
        Status = surrogate.IsDecided ? VerdictStatus.Decided : VerdictStatus.Undecided,
        Verdict = surrogate.Verdict,
        Kept = surrogate.Kept,
        Confidence = surrogate.Confidence,
        Reason = surrogate.Reason,
        Votes = surrogate.Votes,
    });

    public LedgerPairSurrogate ConvertToSurrogate(in LedgerPair value) => new()
    {
        Id = value.Id,
        PromptId = value.PromptId,
        First = value.First,
        Second = value.Second,
        IsDecided = value.Judgement.Status == VerdictStatus.Decided,
        Verdict = value.Judgement.Verdict,
        Kept = value.Judgement.Kept,
        Confidence = value.Judgement.Confidence,
        Reason = value.Judgement.Reason,
        Votes = [.. value.Judgement.Votes],
    };
}
