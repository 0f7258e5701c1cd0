using System.Security.Cryptography;
using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.Testing.Runs;

/// <summary>A judge whose verdict follows from the pictures' bytes and nothing else: kept, rejected and now and then undecided.</summary>
public sealed class ByteJudge(Func<CancellationToken, Task>? before = null) : IPairJudge
{
    public string Name => "bytes";

    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        if (before is not null)
        {
            await before(cancellationToken).ConfigureAwait(false);
        }
        byte[] hash = SHA256.HashData([.. a.Pixels, .. b.Pixels]);
        bool isDecided = hash[0] >= 32;
        bool kept = isDecided && hash[1] >= 128;
        string reason = $"bytes {hash[0]} {hash[1]}";
        Verdict? verdict = isDecided
            ? new Verdict
            {
                Subject = "a subject",
                DescriptionA = "A",
                DescriptionB = "B",
                Differences = kept ? [] : ["bytes"],
                Same = kept,
                Confidence = hash[2] / 255.0,
                Flags = [],
            }
            : null;
        return new PairJudgement
        {
            Status = isDecided ? VerdictStatus.Decided : VerdictStatus.Undecided,
            Verdict = verdict,
            Kept = kept,
            Confidence = verdict?.Confidence ?? double.NaN,
            Reason = reason,
            Votes =
                [
                    new JudgeVote
                    {
                        Judge = Name,
                        Model = "sha256",
                        Verdict = verdict,
                        Kept = kept,
                        Reason = reason,
                        Attempts = isDecided ? 1 : 2,
                        InputTokens = hash[3],
                        OutputTokens = hash[4],
                        Duration = TimeSpan.FromTicks(hash[5]),
                    },
                ],
        };
    }
}
