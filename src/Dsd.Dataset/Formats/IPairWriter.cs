namespace Dsd.Dataset.Formats;

/// <summary>Writes rows in one layout into a folder that nobody sees yet.</summary>
internal interface IPairWriter : IDisposable
{
    /// <summary>Writes the rows of one grid.</summary>
    void Write(IReadOnlyList<PairRecord> grid);

    /// <summary>Writes what is left and gives the files their names.</summary>
    /// <returns>How many files there are, and their size.</returns>
    (long Files, long Bytes) Complete();
}
