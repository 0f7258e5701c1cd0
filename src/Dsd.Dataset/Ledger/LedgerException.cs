namespace Dsd.Dataset.Ledger;

/// <summary>A ledger that is none, is another run's, or contradicts what is to be written into it.</summary>
public sealed class LedgerException : Exception
{
    /// <summary>Names the file, what was expected and what was found.</summary>
    public LedgerException(string file, string expected, string found, Exception? inner = null)
        : base($"Ledger '{file}': expected {expected}, found {found}.", inner)
    {
    }
}
