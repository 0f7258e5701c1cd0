using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.Runs.RunApp;

/// <summary>A judge that follows from the pixels alone: two panels are the same where their brightness is.</summary>
public sealed class PixelJudge(WorkLog? log = null) : IPairJudge
{
    public string Name => "pixels";

    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        await Task.Delay(3, cancellationToken);
        double difference = Math.Abs(Mean(a) - Mean(b));
        bool kept = difference < 20;
        log?.Add($"pair {Mean(a):0.000000} {Mean(b):0.000000}");
        string reason = FormattableString.Invariant($"brightness differs by {difference:0.000}");
        JudgeVote vote = new() { Judge = Name, Kept = kept, Reason = reason, Attempts = 1, InputTokens = 7, OutputTokens = 3 };
        return new PairJudgement { Status = VerdictStatus.Decided, Kept = kept, Confidence = 0.9, Reason = reason, Votes = [vote] };
    }

    private static double Mean(Picture picture)
    {
        long sum = 0;
        foreach (byte value in picture.Pixels)
        {
            sum += value;
        }
        return (double)sum / picture.Pixels.Length;
    }
}
