using Dsd.Common.Files;

namespace Dsd.Dataset.Formats;

/// <summary>Writes pairs as a dataset that others read. A curation run's pairs are written by <c>RunExport</c> of Dsd.Runs.</summary>
public static class DatasetWriter
{
    private const int DefaultShardBytes = 500_000_000;
    private const int LongestName = 100;

    /// <summary>
    /// Writes pairs in the order given. The folder appears whole or not at all, and the same pairs and options give the same bytes.
    /// Memory does not grow with the number of pairs.
    /// </summary>
    /// <param name="grids">
    /// The rows, one list for each grid of panels: an imagefolder writes a picture that several rows of a list share once, and lists share none.
    /// Each row needs an id (<see cref="PairDetails.Id"/>) of its own and pictures whose names end in <c>.png</c>, or in <c>.jpg</c> where
    /// <see cref="DatasetWriteOptions.JpegQuality"/> is set. Ids and names have letters, digits, '-', '_', '.' and '~', and begin with
    /// none of the last two.
    /// </param>
    /// <param name="target">The folder to write: absent, empty, or a dataset of ours if <see cref="DatasetWriteOptions.Overwrite"/> is set.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="progress">Is given the number of rows written, after each list.</param>
    /// <param name="cancellationToken">Checked before each list.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="DatasetException">There is no row, or one has no id or name as above.</exception>
    /// <exception cref="IOException">The target cannot be written, or holds something else.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; nothing is left of it.</exception>
    public static WrittenDataset Write(
        IEnumerable<IReadOnlyList<PairRecord>> grids,
        string target,
        DatasetWriteOptions? options = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(grids);
        ArgumentException.ThrowIfNullOrEmpty(target);
        options ??= new DatasetWriteOptions();
        if (options is { Format: PairFormat.ImageFolder, ShardBytes: not null })
        {
            throw new ArgumentException(
                $"Option {nameof(DatasetWriteOptions.ShardBytes)} is for files with many rows, and an imagefolder has none: leave it out.",
                nameof(options));
        }
        WrittenDataset? written = null;
        AtomicFolder.Write(
            target,
            folder => CheckReplace(folder, options.Overwrite),
            folder => written = Fill(folder, grids, options, progress, cancellationToken));
        return written!;
    }

    private static WrittenDataset Fill(
        string folder, IEnumerable<IReadOnlyList<PairRecord>> grids, DatasetWriteOptions options, IProgress<long>? progress, CancellationToken cancel)
    {
        long shardBytes = options.ShardBytes ?? DefaultShardBytes;
        (long rows, long kept) = (0, 0);
        (long Files, long Bytes) all;
        using (IPairWriter writer = options.Format switch
        {
            PairFormat.Parquet => new ParquetPairWriter(folder, shardBytes, options),
            PairFormat.ImageFolder => new ImageFolderPairWriter(folder, options),
            _ => new WebDatasetPairWriter(folder, shardBytes, options),
        })
        {
            foreach (IReadOnlyList<PairRecord> grid in grids)
            {
                cancel.ThrowIfCancellationRequested();
                foreach (PairRecord row in grid)
                {
                    Check(row, options);
                }
                writer.Write(grid);
                rows += grid.Count;
                kept += grid.Count(r => r.Details.Kept == true);
                progress?.Report(rows);
            }
            if (rows == 0)
            {
                throw new DatasetException($"'{folder}'", "pairs to write", "none");
            }
            all = writer.Complete();
        }
        WrittenDataset written = new(rows, kept, all.Files, all.Bytes);
        DatasetCard.Write(folder, options, written);
        return written;
    }

    // Names become those of files and of a tar's members.
    private static void Check(PairRecord row, DatasetWriteOptions options)
    {
        string extension = options.PictureExtension;
        if (row.FurtherConditioning.Count != options.References - 1)
        {
            throw new DatasetException(
                row.Source, $"{options.References} references, as the option {nameof(options.References)} says", $"{row.FurtherConditioning.Count + 1}");
        }
        if (!IsName(row.Details.Id))
        {
            throw new DatasetException(row.Source, $"an id of at most {LongestName} letters, digits, '-', '_', '.' and '~'", $"'{row.Details.Id}'");
        }
        foreach (string? name in (string?[])[row.Image.Name, row.Conditioning.Name, .. row.FurtherConditioning.Select(p => p.Name)])
        {
            if (!IsName(name) || !name!.EndsWith(extension, StringComparison.Ordinal))
            {
                throw new DatasetException(
                    row.Source, $"a picture named with at most {LongestName} letters, digits, '-', '_', '.' and '~' that ends in '{extension}'", $"'{name}'");
            }
        }
    }

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= LongestName } && name[0] is not ('.' or '~')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~');

    private static void CheckReplace(string folder, bool overwrite)
    {
        if (!DatasetCard.Stands(folder))
        {
            throw new IOException(
                $"Cannot write the dataset '{folder}': it holds other files, and no {DatasetCard.FileName} of an earlier dataset. "
                + "Choose an empty or new folder.");
        }
        if (!overwrite)
        {
            throw new IOException(
                $"Cannot write the dataset '{folder}': an earlier one stands there. Set {nameof(DatasetWriteOptions.Overwrite)} to replace it, "
                + "or choose another folder.");
        }
    }
}
