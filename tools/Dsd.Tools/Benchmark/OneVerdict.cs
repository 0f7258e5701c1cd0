using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.Tools.Benchmark;

/// <summary>A judge that takes no time: the same judgement always.</summary>
internal sealed class OneVerdict : IPairJudge
{
    private static readonly Task<PairJudgement> Always = Task.FromResult(Judgement("one-verdict"));

    public string Name => "one-verdict";

    /// <summary>A judgement as long as a large model's.</summary>
    public static PairJudgement Judgement(string judge)
    {
        Verdict verdict = new()
        {
            Subject = "a small fox-like creature with a red scarf",
            DescriptionA = "A small orange creature with pointed ears, round black eyes and a white belly. It wears a red scarf and sits on a wooden "
                + "floor, seen from the front.",
            DescriptionB = "A small orange creature with pointed ears, round black eyes and a white belly. It wears a red scarf and runs over snow, "
                + "seen from the side, its tail raised.",
            Differences = [],
            Same = true,
            Confidence = 0.95,
            Flags = [],
        };
        JudgeVote vote = new()
        {
            Judge = judge,
            Verdict = verdict,
            Kept = true,
            Reason = "the same subject (0.95): a small fox-like creature with a red scarf",
            Attempts = 1,
            InputTokens = 1000,
            OutputTokens = 120,
        };
        return new PairJudgement { Status = VerdictStatus.Decided, Verdict = verdict, Kept = true, Confidence = 0.95, Reason = vote.Reason, Votes = [vote] };
    }

    public Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default) => Always;
}
