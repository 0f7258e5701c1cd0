using Microsoft.ML;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A view with the added columns, computed as they are read.</summary>
internal sealed class MappedView(IDataView source, RowMapper mapper, Func<string> describe) : IDataView
{
    public bool CanShuffle => source.CanShuffle;

    public DataViewSchema Schema => mapper.OutputSchema;

    /// <summary>The view that it is computed from.</summary>
    public IDataView Source => source;

    /// <summary>What is computed, in words that are the same where the same rows give the same values.</summary>
    public string Description => describe();

    // How many rows are left out is known by reading only.
    public long? GetRowCount() => mapper.Policy.BadRows == BadRows.Skip ? null : source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        mapper.GetCursor(source, columnsNeeded, rand);

    // One cursor, however many are asked for: rows are computed by one model, which works on one batch at a time.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
