using Dsd.Curation;
using Dsd.Curation.Axes;
using Dsd.Curation.Chat;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>
/// Scores the judged pairs of a run's folder by axes, beside their verdicts and at any time after them: also those of a run that was judged before there were
/// axes. What is scored is in the ledger and is not asked again, so a run that was cut off goes on where it was.
/// </summary>
/// <remarks>
/// Limits and repeats are the client's (<see cref="LimitedChatClient"/>); a budget over all sessions is a <see cref="SharedBudget"/> of the folder.
/// </remarks>
public sealed class AxesRun
{
    private readonly RunFolder _folder;
    private readonly AxesJudge _judge;
    private readonly AxesRunOptions _options;

    /// <summary>A run over a folder that is open to work in. What it is given stays the caller's.</summary>
    public AxesRun(RunFolder folder, AxesJudge judge, AxesRunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(judge);
        (_folder, _judge, _options) = (folder, judge, options ?? new AxesRunOptions());
    }

    /// <summary>Is called after each pair.</summary>
    public IProgress<AxesProgress>? Progress { get; init; }

    /// <summary>Scores all pairs that have no scores.</summary>
    /// <param name="cancellationToken">Stops the run; what is scored is in the ledger.</param>
    /// <returns>What this run did.</returns>
    /// <exception cref="LedgerException">Pairs were scored by another judge or with other instructions, or a grid is gone.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent; what was scored is in the ledger.</exception>
    /// <exception cref="ChatFailedException">Too many requests failed in a row, or one in a way that all others would too.</exception>
    /// <exception cref="IOException">The folder cannot be read or written, or was taken away.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task<AxesProgress> RunAsync(CancellationToken cancellationToken = default)
    {
        const string Fact = "axes";
        if (_folder.Ledger.Meta(Fact) is { } begun && begun != _judge.Fingerprint)
        {
            throw new LedgerException(
                _folder.Ledger.File,
                "the judge and the instructions that pairs were first scored with",
                $"others ({begun}, now {_judge.Fingerprint}). Take those, or another folder: scores of two judges are not one scale");
        }
        await _folder.Ledger.WriteMetaAsync(Fact, _judge.Fingerprint).ConfigureAwait(false);
        RunPanels panels = new(_folder);
        FailuresInARow failures = new(_options.MostFailures);
        AxesProgress done = new(0, 0, 0, 0);
        // By the caller's wish alone: what is under way when the run ends is paid for, and is let end and be written.
        await foreach (AxesProgress one in OrderedWork.SelectAsync(
            Pairs(panels), (pair, _) => ScoreAsync(pair, failures, cancellationToken), _options.Concurrency, cancellationToken).ConfigureAwait(false))
        {
            done = new AxesProgress(done.Scored + one.Scored, done.Unreadable + one.Unreadable, done.Failed + one.Failed, done.Known + one.Known);
            Progress?.Report(done);
        }
        await _folder.CheckAsync().ConfigureAwait(false);
        return done;
    }

    // A grid is cut once for all of its pairs, and not at all where each has scores.
    private IEnumerable<(LedgerPair Pair, Lazy<GridPanels> Panels)> Pairs(RunPanels panels)
    {
        // Rows that cannot be read are told by the run's status, and hide no others.
        foreach (IReadOnlyList<LedgerPair> grid in RunPanels.ByGrid(_folder.Ledger.Pairs(_options.KeptOnly, unreadable: _ => { })))
        {
            Lazy<GridPanels> cut = new(() => panels.Of(grid[0].PromptId));
            foreach (LedgerPair pair in grid)
            {
                yield return (pair, cut);
            }
        }
    }

    private async Task<AxesProgress> ScoreAsync((LedgerPair Pair, Lazy<GridPanels> Panels) work, FailuresInARow failures, CancellationToken cancel)
    {
        LedgerPair pair = work.Pair;
        try
        {
            if (_folder.Ledger.AxesOf(pair.Id)?.Axes is not null)
            {
                return new AxesProgress(0, 0, 0, 1);
            }
            GridPanels panels = work.Panels.Value;
            AxesVote vote = await _judge.ScoreAsync(
                panels.Panel(pair, pair.First), panels.Panel(pair, pair.Second), panels.Caption(pair, pair.First), panels.Caption(pair, pair.Second), cancel)
                .ConfigureAwait(false);
            await _folder.Ledger.WriteAxesAsync(pair.Id, vote).ConfigureAwait(false);
            failures.Succeed();
            return vote.Axes is null ? new AxesProgress(0, 1, 0, 0) : new AxesProgress(1, 0, 0, 0);
        }
        catch (Exception e) when (
            e is ChatFailedException { ConcernsAll: false } or LedgerException { ConcernsOneRow: true } && !cancel.IsCancellationRequested)
        {
            failures.Fail(e);
            if (e is ChatFailedException)
            {
                await _folder.Ledger.WriteFailureAsync(pair.Id, "axes", e.Message).ConfigureAwait(false);
            }
            return new AxesProgress(0, 0, 1, 0);
        }
    }
}
