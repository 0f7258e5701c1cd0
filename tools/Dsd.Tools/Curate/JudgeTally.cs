using System.Text.RegularExpressions;
using Dsd.Curation.Judging;
using Dsd.Dataset.Runs;
using Dsd.Imaging;

namespace Dsd.Tools.Curate;

/// <summary>A judge that counts its verdicts, and why it came to none: a run without a single one has not done what it was asked.</summary>
internal sealed partial class JudgeTally(IPairJudge judge) : IPairJudge
{
    // Reasons quote answers, so there may be as many as pairs.
    private const int MostReasons = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string First, int Count)> _reasons = [];
    private int _decided;
    private int _undecided;

    public string Name => judge.Name;

    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        PairJudgement judgement = await judge.JudgeAsync(a, b, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            if (judgement.Status == VerdictStatus.Decided)
            {
                _decided++;
                return judgement;
            }
            _undecided++;
            foreach (string reason in judgement.Votes.Where(v => v.Verdict is null).Select(v => v.Reason).DefaultIfEmpty(judgement.Reason))
            {
                // Alike but for what they quote.
                string kind = Quoted().Replace(reason, "");
                if (_reasons.TryGetValue(kind, out (string First, int Count) known) || _reasons.Count < MostReasons)
                {
                    _reasons[kind] = (known.First ?? reason, known.Count + 1);
                }
            }
        }
        return judgement;
    }

    /// <summary>The exit code of a run: failed where pairs were judged and none was decided, or all that was begun failed; then the reason is told.</summary>
    public int End(Terminal terminal, RunProgress done)
    {
        lock (_gate)
        {
            if (_decided == 0 && _undecided > 0)
            {
                (string reason, int count) = _reasons.Values.MaxBy(r => r.Count);
                const string Prefix = "undecided: ";
                terminal.Fail($"No pair was decided: the judge came to no verdict about any of {_undecided}. The commonest reason, {count} times: {(reason.StartsWith(Prefix, StringComparison.Ordinal) ? reason[Prefix.Length..] : reason)}");
                return ExitCode.Failed;
            }
        }
        if (done is { Judged: 0, Failed: > 0 })
        {
            terminal.Fail($"No pair was judged: {(done.Failed == 1 ? "the one piece of work that was begun" : $"{done.Failed} pieces of work")} failed, and the next run tries again.");
            return ExitCode.Failed;
        }
        return ExitCode.Done;
    }

    [GeneratedRegex(@"'[^']*'|\d+")]
    private static partial Regex Quoted();
}
