namespace Dsd.Dataset.Formats;

/// <summary>
/// A dataset of pairs on disk, in any of the layouts of <see cref="PairFormat"/>, whoever wrote it. Nothing of it is held open between
/// readings.
/// </summary>
public sealed class PairDataset
{
    private readonly PairReader _reader;

    private PairDataset(string path, PairFormat format, IReadOnlyList<string> files, PairReader reader)
    {
        (Path, Format, Files, _reader) = (path, format, files, reader);
    }

    /// <summary>What was opened.</summary>
    public string Path { get; }

    /// <summary>Its layout.</summary>
    public PairFormat Format { get; }

    /// <summary>The files that hold its rows, in the order of reading: Parquet files, tars, or an imagefolder's metadata.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The columns of <see cref="DetailColumn.All"/> that it has: those of the first file, or in an imagefolder and a tar of the first row.</summary>
    public IReadOnlyList<DetailColumn> Details => _reader.Details;

    /// <summary>How many rows it has; null where only reading them all would tell.</summary>
    public long? RowCount => _reader.RowCount;

    /// <summary>Finds out what lies at a path, and reads as much of it as is needed to know its columns.</summary>
    /// <param name="path">
    /// A folder, or one of its files: a Parquet file, a tar, or a <c>metadata.jsonl</c>, <c>metadata.csv</c> or <c>metadata.parquet</c>.
    /// </param>
    /// <param name="options">What is read; null is the defaults.</param>
    /// <param name="cancellationToken">Checked while files are read.</param>
    /// <exception cref="DatasetException">It is no dataset of pairs, or several; the message says what lies there.</exception>
    /// <exception cref="IOException">There is nothing at the path, or it cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static PairDataset Open(string path, PairDatasetOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new PairDatasetOptions();
        (PairFormat format, IReadOnlyList<string> files) = DatasetFiles.Find(path, options.Split);
        return new PairDataset(path, format, files, format switch
        {
            PairFormat.Parquet => new ParquetPairReader(files, options, cancellationToken),
            PairFormat.ImageFolder => new ImageFolderPairReader(files, options, cancellationToken),
            _ => new WebDatasetPairReader(files, options, cancellationToken),
        });
    }

    /// <summary>Reads the rows, one after the other; each call begins anew. Pictures are read when they are asked for.</summary>
    /// <param name="cancellationToken">Checked before each row, and while a file is read.</param>
    /// <exception cref="DatasetException">A file or row is not as it should be; the message names file, row and column.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public IEnumerable<PairRecord> Read(CancellationToken cancellationToken = default) => _reader.Read(cancellationToken);
}
