using Dsd.Dataset.Ledger;

namespace Dsd.Dataset.Formats;

/// <summary>What was written.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Kept">Rows of pairs that are kept.</param>
/// <param name="Files">Files with rows or pictures in them.</param>
/// <param name="Bytes">Their size.</param>
public sealed record WrittenDataset(long Rows, long Kept, long Files, long Bytes)
{
    /// <summary>Rows of the ledger that could not be read: the pairs that need them are not in the dataset.</summary>
    public LedgerFaults Unreadable { get; init; } = LedgerFaults.None;
}
