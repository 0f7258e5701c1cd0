using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;

namespace Dsd.MLNet.Curation;

/// <summary>A view that gives none to many rows for each row of its source.</summary>
internal sealed class CuratedView(IDataView source, DataViewSchema schema, IReadOnlyList<AddedColumn> added, GridReading reading) : IDataView
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
        HashSet<int> read = [.. reading.Reads.Select(name => source.Schema[name].Index)];
        DataViewRowCursor cursor = source.GetRowCursor(source.Schema.Where(c => active[c.Index] || read.Contains(c.Index)));
        RowBuffer buffer = new(cursor, reading.Ahead, c => active[c.Index]);
        GridQueue grids = new(cursor, buffer, reading.Ahead, reading.Open(cursor));
        return new CuratedCursor(buffer.Row, grids, schema, added, active, reading.Reporter());
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
