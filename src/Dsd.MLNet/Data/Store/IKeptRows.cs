namespace Dsd.MLNet.Data.Store;

/// <summary>Encoded rows that were kept, in memory or in a folder. For one writer and any number of readers at a time.</summary>
internal interface IKeptRows
{
    /// <summary>How many rows are kept.</summary>
    long Count { get; }

    /// <summary>Whether these are all rows that there are.</summary>
    bool IsWhole { get; }

    /// <summary>A row's bytes.</summary>
    /// <exception cref="InvalidDataException">The row is damaged.</exception>
    byte[] Read(long row);

    /// <summary>Where the row stands that the row came from, in the view that a curator reads; its own position elsewhere.</summary>
    long OriginOf(long row);

    /// <summary>Begins to write behind the rows that are kept, those too that another process has written meanwhile.</summary>
    /// <exception cref="IOException">Somebody else writes there now, or it cannot be written.</exception>
    void Begin();

    /// <summary>Adds a row.</summary>
    void Add(byte[] bytes, long origin);

    /// <summary>Forgets rows from this one on.</summary>
    void Cut(long row);

    /// <summary>Ends writing.</summary>
    /// <param name="whole">Whether these are all rows that there are.</param>
    void End(bool whole);
}
