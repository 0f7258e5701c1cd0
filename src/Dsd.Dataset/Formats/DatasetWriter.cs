using Dsd.Dataset.Ledger;
using Dsd.Dataset.Runs;
using Dsd.Imaging;

namespace Dsd.Dataset.Formats;

/// <summary>Writes what a run has kept as a dataset that others read.</summary>
public static class DatasetWriter
{
    /// <summary>
    /// Writes the pairs of a run's folder, in the order of their names: both ways round where the run's task pairs panels so, once otherwise. Panels are cut again from their sheets as
    /// the run cut them. The folder appears whole or not at all, and the same ledger and options give the same bytes. Memory does not grow with the number of pairs.
    /// Rows of the ledger that cannot be read keep out the pairs that need them, and no others; they are counted.
    /// </summary>
    /// <param name="runFolder">The run's folder (<see cref="RunFolder"/>); a run may go on in it meanwhile.</param>
    /// <param name="target">The folder to write: absent, empty, or a dataset of ours if <see cref="DatasetWriteOptions.Overwrite"/> is set.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="progress">Told after each sheet how many rows are written.</param>
    /// <param name="cancellationToken">Checked before each sheet.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="LedgerException">The ledger is none, or contradicts itself, or a sheet is gone, or no pair is left by the rows that cannot be read.</exception>
    /// <exception cref="DatasetException">There is no pair to write.</exception>
    /// <exception cref="IOException">The target cannot be written, or holds something else.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; nothing is left of it.</exception>
    public static WrittenDataset Write(string runFolder, string target, DatasetWriteOptions? options = null, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        ArgumentException.ThrowIfNullOrEmpty(target);
        options ??= new DatasetWriteOptions();
        if (options is { Format: PairFormat.ImageFolder, ShardBytes: not null })
        {
            throw new ArgumentException($"Option {nameof(DatasetWriteOptions.ShardBytes)} is for files with many rows, and an imagefolder has none: leave it out.", nameof(options));
        }
        RunFolder run = RunFolder.OpenToRead(runFolder);
        try
        {
            WrittenDataset? written = null;
            RunPairs pairs = new(run, options);
            AtomicFolder.Write(target, folder => CheckReplace(folder, options.Overwrite), folder => written = Fill(folder, run, pairs, options, progress, cancellationToken));
            return written!;
        }
        finally
        {
            run.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static WrittenDataset Fill(string folder, RunFolder run, RunPairs pairs, DatasetWriteOptions options, IProgress<long>? progress, CancellationToken cancel)
    {
        long shardBytes = options.ShardBytes ?? 500_000_000;
        (long rows, long kept) = (0, 0);
        (long Files, long Bytes) all;
        using (IPairWriter writer = options.Format switch
        {
            PairFormat.Parquet => new ParquetPairWriter(folder, shardBytes),
            PairFormat.ImageFolder => new ImageFolderPairWriter(folder),
            _ => new WebDatasetPairWriter(folder, shardBytes),
        })
        {
            foreach (IReadOnlyList<PairRecord> sheet in pairs.Sheets(cancel))
            {
                cancel.ThrowIfCancellationRequested();
                writer.Write(sheet);
                rows += sheet.Count;
                kept += sheet.Count(r => r.Details.Kept == true);
                progress?.Report(rows);
            }
            if (rows == 0 && pairs.FirstUnreadable is { } fault)
            {
                throw fault;
            }
            if (rows == 0)
            {
                LedgerCounts counts = run.Ledger.Counts();
                throw new DatasetException($"from '{run.Path}'", options.IncludeRejected ? "pairs that are judged" : "pairs that are kept", $"none ({counts.Pairs} judged, {counts.Kept} kept)");
            }
            all = writer.Complete();
        }
        WrittenDataset written = new(rows, kept, all.Files, all.Bytes) { Unreadable = pairs.Unreadable };
        DatasetCard.Write(folder, options, written);
        return written;
    }

    private static void CheckReplace(string folder, bool overwrite)
    {
        if (!DatasetCard.Stands(folder))
        {
            throw new IOException($"Cannot write the dataset '{folder}': it holds other files, and no {DatasetCard.FileName} of an earlier dataset. Choose an empty or new folder.");
        }
        if (!overwrite)
        {
            throw new IOException($"Cannot write the dataset '{folder}': an earlier one stands there. Set {nameof(DatasetWriteOptions.Overwrite)} to replace it, or choose another folder.");
        }
    }
}
