namespace Dsd.Runs.Ledger;

/// <summary>Rows of a ledger that cannot be read. They are passed over, with what needs them, and all else is used.</summary>
/// <param name="Count">How many.</param>
/// <param name="First">What is wrong with the first of them: ledger, table, row, field, what was expected and what was found.</param>
public sealed record LedgerFaults(long Count, IReadOnlyList<string> First)
{
    /// <summary>No such rows.</summary>
    public static LedgerFaults None { get; } = new(0, []);

    /// <summary>The count and the first fault in one line for people; empty where there is none.</summary>
    public override string ToString() =>
        Count == 0
            ? ""
            : $"{Count} {(Count == 1 ? "row of the ledger cannot be read and is" : "rows of the ledger cannot be read and are")} left out. "
                + $"{(Count == 1 ? "" : "The first: ")}{First.FirstOrDefault()}";
}
