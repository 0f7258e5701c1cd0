using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A row-to-row stage bound to an input schema.</summary>
internal sealed class RowMapper(
    DataViewSchema input,
    IReadOnlyList<AddedColumn> added,
    Func<Func<string, bool>, int> windowSize,
    Func<RowWindow, Func<string, Delegate>> open) : IRowToRowMapper
{
    public DataViewSchema InputSchema => input;

    public DataViewSchema OutputSchema { get; } = AddedColumn.Extend(input, added);

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] needed = new bool[input.Count];
        foreach (DataViewSchema.Column column in dependingColumns)
        {
            if (column.Index < input.Count)
            {
                needed[column.Index] = true;
                continue;
            }
            foreach (string read in added[column.Index - input.Count].Reads)
            {
                needed[input[read].Index] = true;
            }
        }
        return input.Where(c => needed[c.Index]);
    }

    public DataViewRow GetRow(DataViewRow row, IEnumerable<DataViewSchema.Column> activeColumns) =>
        new MappedRow(new MappedColumns(this, new SingleRow(row), Active(activeColumns)));

    public DataViewRowCursor GetCursor(IDataView source, IEnumerable<DataViewSchema.Column> columns, Random? random)
    {
        DataViewSchema.Column[] wanted = [.. columns];
        bool[] active = Active(wanted);
        DataViewRowCursor cursor = source.GetRowCursor(GetDependencies(wanted), random);
        int window = windowSize(name => added.Index().Any(a => a.Item.Name == name && active[input.Count + a.Index]));
        RowWindow rows = window == 1 ? new SingleRow(cursor) : new ReadAheadRows(cursor, window);
        return new MappedCursor(new MappedColumns(this, rows, active));
    }

    public Func<string, Delegate> Open(RowWindow rows) => open(rows);

    public string NameOf(int addedIndex) => added[addedIndex].Name;

    private bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        bool[] active = new bool[OutputSchema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            active[column.Index] = true;
        }
        return active;
    }
}
