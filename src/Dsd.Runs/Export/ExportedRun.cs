using Dsd.Dataset.Formats;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Export;

/// <summary>What was written of a run.</summary>
/// <param name="Dataset">The dataset.</param>
/// <param name="Unreadable">Rows of the ledger that could not be read: the pairs that need them are not in the dataset.</param>
public sealed record ExportedRun(WrittenDataset Dataset, LedgerFaults Unreadable)
{
    /// <summary>Rows that are left out, since their target has fewer references than <see cref="DatasetWriteOptions.References"/>.</summary>
    public long TooFewReferences { get; init; }
}
