namespace Dsd.Dataset.Formats;

/// <summary>Reads the rows of one layout.</summary>
internal abstract class PairReader
{
    /// <summary>The detail columns that are read.</summary>
    public IReadOnlyList<DetailColumn> Details { get; protected init; } = [];

    /// <summary>How many rows there are, where that is known.</summary>
    public virtual long? RowCount => null;

    /// <summary>The rows, from the first on.</summary>
    public abstract IEnumerable<PairRecord> Read(CancellationToken cancel);

    /// <summary>What is thrown where a picture is asked for after the reading of its dataset has ended.</summary>
    protected static InvalidOperationException Gone(string place) =>
        new($"Dataset {place}: the picture can be read only while the enumeration that gave its row stands on it. Read it there, or keep the bytes.");

    /// <summary>A file's stream. If it cannot be opened the system's own exception is thrown, which names the file.</summary>
    public static FileStream Open(string file) => new(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
}
