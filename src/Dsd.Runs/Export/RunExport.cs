using Dsd.Dataset.Formats;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Export;

/// <summary>Writes what a run has kept as a dataset that others read.</summary>
public static class RunExport
{
    /// <summary>
    /// Writes the pairs of a run's folder, in the order of their names: both ways round where the run's task pairs panels so, once otherwise.
    /// Panels are cut again from their grids as the run cut them. Rows of the ledger that cannot be read keep out the pairs that need them,
    /// and no others; they are counted.
    /// </summary>
    /// <param name="runFolder">The run's folder (<see cref="RunFolder"/>); a run may go on in it meanwhile.</param>
    /// <param name="target">The folder to write: absent, empty, or a dataset of ours if <see cref="DatasetWriteOptions.Overwrite"/> is set.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="progress">Is given the number of rows written, after each grid.</param>
    /// <param name="cancellationToken">Checked before each grid.</param>
    /// <param name="cut">Which pairs are kept; null for those that the run and people kept.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="LedgerException">
    /// The ledger is none, or contradicts itself, or a grid is gone, or no pair is left by the rows that cannot be read.
    /// </exception>
    /// <exception cref="DatasetException">There is no pair to write.</exception>
    /// <exception cref="IOException">The target cannot be written, or holds something else.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; nothing is left of it.</exception>
    public static ExportedRun Write(
        string runFolder,
        string target,
        DatasetWriteOptions? options = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default,
        PairCut? cut = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        options ??= new DatasetWriteOptions();
        RunFolder run = RunFolder.OpenToRead(runFolder);
        try
        {
            RunPairs pairs = new(run, options, cut);
            WrittenDataset written = DatasetWriter.Write(
                AtLeastOne(run, pairs, options, cut is not null, cancellationToken), target, options, progress, cancellationToken);
            return new ExportedRun(written, pairs.Unreadable);
        }
        finally
        {
            run.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>The run's rows. Where there is none, says why in the run's own terms.</summary>
    private static IEnumerable<IReadOnlyList<PairRecord>> AtLeastOne(
        RunFolder run, RunPairs pairs, DatasetWriteOptions options, bool isCut, CancellationToken cancel)
    {
        bool hasRows = false;
        foreach (IReadOnlyList<PairRecord> grid in pairs.Grids(cancel))
        {
            hasRows |= grid.Count > 0;
            yield return grid;
        }
        if (hasRows)
        {
            yield break;
        }
        if (pairs.FirstUnreadable is { } fault)
        {
            throw fault;
        }
        LedgerCounts counts = run.Ledger.Counts();
        throw new DatasetException(
            $"from '{run.Path}'",
            options.IncludeRejected ? "pairs that are judged" : isCut ? "pairs that are kept by the cut" : "pairs that are kept",
            $"none ({counts.Pairs} judged, {counts.Kept} kept)");
    }
}
