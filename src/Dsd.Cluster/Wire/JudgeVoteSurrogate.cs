using Dsd.Curation.Judging;

namespace Dsd.Cluster.Wire;

[GenerateSerializer, Alias("dsd.vote")]
internal struct JudgeVoteSurrogate
{
    [Id(0)] public string Judge;
    [Id(1)] public string? Model;
    [Id(2)] public Verdict? Verdict;
    [Id(3)] public bool Kept;
    [Id(4)] public string Reason;
    [Id(5)] public int Attempts;
    [Id(6)] public long InputTokens;
    [Id(7)] public long OutputTokens;
    [Id(8)] public TimeSpan Duration;
}

/// <summary>Votes as they travel.</summary>
[RegisterConverter]
internal sealed class JudgeVoteConverter : IConverter<JudgeVote, JudgeVoteSurrogate>
{
    public JudgeVote ConvertFromSurrogate(in JudgeVoteSurrogate surrogate) => new()
    {
        Judge = surrogate.Judge,
        Model = surrogate.Model,
        Verdict = surrogate.Verdict,
        Kept = surrogate.Kept,
        Reason = surrogate.Reason,
        Attempts = surrogate.Attempts,
        InputTokens = surrogate.InputTokens,
        OutputTokens = surrogate.OutputTokens,
        Duration = surrogate.Duration,
    };

    public JudgeVoteSurrogate ConvertToSurrogate(in JudgeVote value) => new()
    {
        Judge = value.Judge,
        Model = value.Model,
        Verdict = value.Verdict,
        Kept = value.Kept,
        Reason = value.Reason,
        Attempts = value.Attempts,
        InputTokens = value.InputTokens,
        OutputTokens = value.OutputTokens,
        Duration = value.Duration,
    };
}
