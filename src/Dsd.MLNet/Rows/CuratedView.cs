using Dsd.MLNet.Columns;
using Microsoft.ML;

namespace Dsd.MLNet.Rows;

/// <summary>A view that gives none to many rows for each row of its source.</summary>
internal sealed class CuratedView(
    IDataView source,
    DataViewSchema schema,
    IReadOnlyList<AddedColumn> added,
    Func<DataViewSchema, (IReadOnlyList<string> Reads, Func<DataViewRow, Func<IReadOnlyList<CuratedPair>>> Open)> sheets) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => schema;

    // Known by judging only.
    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = new bool[schema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
        {
            active[column.Index] = true;
        }
        (IReadOnlyList<string> reads, Func<DataViewRow, Func<IReadOnlyList<CuratedPair>>> open) = sheets(source.Schema);
        HashSet<int> read = [.. reads.Select(name => source.Schema[name].Index)];
        DataViewRowCursor cursor = source.GetRowCursor(source.Schema.Where(c => active[c.Index] || read.Contains(c.Index)));
        return new CuratedCursor(cursor, schema, added, active, open(cursor));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
