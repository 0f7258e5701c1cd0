namespace Dsd.Runs.Ledger;

/// <summary>A ledger that is none, is another run's, contradicts what is to be written into it, or has a row that cannot be read.</summary>
public sealed class LedgerException : Exception
{
    /// <summary>Names the file, what was expected and what was found.</summary>
    public LedgerException(string file, string expected, string found, Exception? inner = null)
        : base($"Ledger '{file}': expected {expected}, found {found}.", inner)
    {
    }

    // In Data, which goes with an exception to other processes.
    private LedgerException(string message, string table, string row, string? field, Exception? inner)
        : base(message, inner) =>
        (Data[nameof(Table)], Data[nameof(Row)], Data[nameof(Field)]) = (table, row, field);

    /// <summary>Whether one row alone is at fault: the rest of the ledger can be used.</summary>
    public bool ConcernsOneRow => Row is not null;

    /// <summary>The table of the row that is at fault; null where the ledger is.</summary>
    public string? Table => Data[nameof(Table)] as string;

    /// <summary>The key of the row that is at fault, its parts joined by ", "; null where the ledger is.</summary>
    public string? Row => Data[nameof(Row)] as string;

    /// <summary>The column that is at fault; null where the row is not there, or the ledger is.</summary>
    public string? Field => Data[nameof(Field)] as string;

    internal static LedgerException OfRow(string file, string table, string row, string field, string expected, string found, Exception? inner = null) => new(
        $"Ledger '{file}', table '{table}', row '{row}', field '{field}': expected {expected}, found {found}. Put the value right, "
        + "or take the ledger from a copy.", table, row, field, inner);

    internal static LedgerException OfMissing(string file, string table, string row) =>
        new($"Ledger '{file}': expected a row '{row}' in the table '{table}', found none.", table, row, null, null);
}
