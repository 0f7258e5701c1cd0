using System.Text.RegularExpressions;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Tools.Curate;

/// <summary>
/// Whether a run came to anything: one whose judge came to no verdict about any pair has not done what it was asked, and neither has one where all
/// that was begun failed.
/// </summary>
internal static partial class RunOutcome
{
    // Reasons quote answers, so there may be as many as pairs.
    private const int MostReasons = 1000;

    /// <summary>The exit code. Where it says that the run failed, the reason is printed.</summary>
    public static int Of(Terminal terminal, RunFolder folder)
    {
        LedgerCounts counts = folder.Ledger.Counts();
        if (counts.Pairs > 0 && counts.Undecided == counts.Pairs)
        {
            (string reason, int times) = Commonest(folder.Ledger.Pairs().Select(p => p.Judgement.Reason));
            terminal.Fail(ErrorText.Sentence(
                $"No pair was decided: the judge came to no verdict about any of {counts.Pairs}. The commonest reason ({times} times) is {reason}"));
            return ExitCode.Failed;
        }
        if (counts is { Pairs: 0, Failures: > 0 })
        {
            (string reason, int times) = Commonest(folder.Ledger.Failures(MostReasons).Select(f => f.Message));
            terminal.Fail(ErrorText.Sentence(
                $"No pair was judged, and {counts.Failures} pieces of work failed. The next run tries them again. The commonest reason ({times} times) "
                    + $"is {reason}"));
            return ExitCode.Failed;
        }
        return ExitCode.Done;
    }

    private static (string Reason, int Times) Commonest(IEnumerable<string> reasons)
    {
        Dictionary<string, (string First, int Times)> kinds = [];
        foreach (string reason in reasons)
        {
            // Alike but for what they quote.
            string kind = Quoted().Replace(reason, "");
            if (kinds.TryGetValue(kind, out (string First, int Times) known) || kinds.Count < MostReasons)
            {
                kinds[kind] = (known.First ?? reason, known.Times + 1);
            }
        }
        return kinds.Values.MaxBy(k => k.Times);
    }

    [GeneratedRegex(@"'[^']*'|\d+")]
    private static partial Regex Quoted();
}
