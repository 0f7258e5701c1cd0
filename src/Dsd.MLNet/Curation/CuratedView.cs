using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;

namespace Dsd.MLNet.Curation;

/// <summary>A view that gives none to many rows for each row of its source.</summary>
internal sealed class CuratedView(IDataView source, DataViewSchema schema, IReadOnlyList<AddedColumn> added, GridReading reading, Func<string> describe)
    : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => schema;

    /// <summary>The view that grids come from.</summary>
    public IDataView Source => source;

    /// <summary>What is judged and how, in words that are the same where the same grids give the same rows.</summary>
    public string Description => describe();

    // Known by judging only.
    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => CursorFrom(columnsNeeded, 0);

    /// <summary>A cursor that begins with the pairs of a later grid. Those before it are neither drawn nor judged.</summary>
    public CuratedCursor CursorFrom(IEnumerable<DataViewSchema.Column> columnsNeeded, long grid)
    {
        bool[] active = new bool[schema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
        {
            active[column.Index] = true;
        }
        HashSet<int> read = [.. reading.Reads.Select(name => source.Schema[name].Index)];
        DataViewRowCursor cursor = source.GetRowCursor(source.Schema.Where(c => active[c.Index] || read.Contains(c.Index)));
        while (grid-- > 0 && cursor.MoveNext())
        {
        }
        RowBuffer buffer = new(cursor, reading.Ahead, c => active[c.Index], reading.KeepFailures);
        GridQueue grids = new(cursor, buffer, reading.Ahead, reading.Open(cursor));
        return new CuratedCursor(buffer.Row, grids, schema, added, active, reading.Reporter());
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
