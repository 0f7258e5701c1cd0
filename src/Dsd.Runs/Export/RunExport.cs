using Dsd.Dataset.Formats;
using Dsd.Imaging;
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
    /// <param name="withoutGrids">Grids that are left out, by their prompts' ids, such as near duplicates of others; null is none.</param>
    /// <param name="cut">Which pairs are kept; null for those that the run and people kept.</param>
    /// <param name="cancellationToken">Checked before each grid.</param>
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
        IReadOnlySet<string>? withoutGrids = null,
        PairCut? cut = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        options ??= new DatasetWriteOptions();
        if (options is { References: > 1, IncludeRejected: true })
        {
            throw new ArgumentException(
                $"Options {nameof(options.References)} and {nameof(options.IncludeRejected)} exclude each other: what is rejected has no further references.",
                nameof(options));
        }
        RunFolder run = RunFolder.OpenToRead(runFolder);
        try
        {
            options = options with { IncludeAxes = options.IncludeAxes || run.Ledger.HasAxes };
            RunPairs pairs = new(run, options, withoutGrids, cut);
            WrittenDataset written = DatasetWriter.Write(
                AtLeastOne(run, pairs, options, cut is not null, cancellationToken), target, options, progress, cancellationToken);
            return new ExportedRun(written, pairs.Unreadable) { TooFewReferences = pairs.TooFewReferences };
        }
        finally
        {
            run.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>
    /// The grids that <see cref="Write"/> would take pairs from, in the same order, one in memory at a time. One that is gone or damaged is passed over here,
    /// since <see cref="Write"/> names it.
    /// </summary>
    /// <returns>Each with its prompt's id.</returns>
    /// <param name="runFolder">The run's folder; a run may go on in it meanwhile.</param>
    /// <param name="includeRejected">Whether those without a kept pair are wanted too.</param>
    /// <exception cref="LedgerException">The ledger is none.</exception>
    /// <exception cref="IOException">There is no ledger, or a grid cannot be read.</exception>
    public static IEnumerable<KeyValuePair<string, Picture>> Grids(string runFolder, bool includeRejected = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        return Read();

        IEnumerable<KeyValuePair<string, Picture>> Read()
        {
            RunFolder run = RunFolder.OpenToRead(runFolder);
            try
            {
                string last = "";
                foreach (LedgerPair pair in run.Ledger.Pairs(keptOnly: !includeRejected, _ => { }))
                {
                    if (pair.PromptId != last && run.Ledger.GridOf(pair.PromptId) is { } grid && run.Load(grid) is { } picture)
                    {
                        yield return new(pair.PromptId, picture);
                    }
                    last = pair.PromptId;
                }
            }
            finally
            {
                run.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
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
        if (pairs.TooFewReferences > 0)
        {
            throw new DatasetException(
                $"from '{run.Path}'",
                $"targets with {options.References} references, which other panels of a grid make kept pairs with",
                $"none: {pairs.TooFewReferences} rows have fewer. Ask for fewer, or take a layout of more panels");
        }
        LedgerCounts counts = run.Ledger.Counts();
        throw new DatasetException(
            $"from '{run.Path}'",
            options.IncludeRejected ? "pairs that are judged" : isCut ? "pairs that are kept by the cut" : "pairs that are kept",
            $"none ({counts.Pairs} judged, {counts.Kept} kept)");
    }
}
