using System.Diagnostics;
using System.Globalization;
using Dsd.Imaging;

namespace Dsd.Curation.Judging;

/// <summary>A judge behind a gate: it is asked only about pairs that are neither too different nor nearly copies.</summary>
/// <remarks>
/// What the gate measured is the first of each pair's votes, so that it stands in a ledger, where the pair passes too. A pair that does not pass has
/// <see cref="VerdictStatus.TooDifferent"/> or <see cref="VerdictStatus.NearCopy"/>, and no verdict.
/// </remarks>
public sealed class GatedJudge : IPairJudge
{
    private readonly IPairGate _gate;
    private readonly GateBounds _bounds;
    private readonly IPairJudge _judge;

    /// <summary>A judge behind a gate. Both stay the caller's.</summary>
    /// <param name="gate">Measures each pair.</param>
    /// <param name="bounds">Which pairs pass.</param>
    /// <param name="judge">Asked about those that pass.</param>
    /// <exception cref="ArgumentException">The bounds contradict each other, or gate and judge have one name.</exception>
    public GatedJudge(IPairGate gate, GateBounds bounds, IPairJudge judge)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(bounds);
        ArgumentNullException.ThrowIfNull(judge);
        bounds.Validate();
        if (gate.Name == judge.Name)
        {
            throw new ArgumentException($"Gate and judge are both named '{gate.Name}': give each a name of its own.", nameof(judge));
        }
        (_gate, _bounds, _judge) = (gate, bounds, judge);
    }

    /// <inheritdoc/>
    public string Name => $"{_gate.Name}[{_bounds}]>{_judge.Name}";

    /// <inheritdoc/>
    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        Stopwatch watch = Stopwatch.StartNew();
        double similarity = await _gate.SimilarityAsync(a, b, cancellationToken).ConfigureAwait(false);
        VerdictStatus? removed = similarity < _bounds.Least ? VerdictStatus.TooDifferent : similarity > _bounds.Most ? VerdictStatus.NearCopy : null;
        string reason = removed switch
        {
            VerdictStatus.TooDifferent => Text($"too different: similarity {similarity:0.000} is below {_bounds.Least}"),
            VerdictStatus.NearCopy => Text($"near copy: similarity {similarity:0.000} is above {_bounds.Most}"),
            _ => Text($"similarity {similarity:0.000}"),
        };
        JudgeVote vote = new() { Judge = _gate.Name, Kept = removed is null, Reason = reason, Attempts = 0, Duration = watch.Elapsed };
        if (removed is { } status)
        {
            return new PairJudgement { Status = status, Kept = false, Reason = reason, Votes = [vote] };
        }
        PairJudgement judgement = await _judge.JudgeAsync(a, b, cancellationToken).ConfigureAwait(false);
        return judgement with { Votes = [vote, .. judgement.Votes] };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
