using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A row-to-row stage bound to an input schema.</summary>
internal sealed class RowMapper(
    DataViewSchema input,
    IReadOnlyList<AddedColumn> added,
    RowPolicy policy,
    Action<string> warn,
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

    /// <summary>What becomes of bad rows.</summary>
    public RowPolicy Policy => policy;

    public DataViewRow GetRow(DataViewRow row, IEnumerable<DataViewSchema.Column> activeColumns) =>
        new MappedRow(new MappedColumns(this, new SingleRow(row), Active(activeColumns)));

    public DataViewRowCursor GetCursor(IDataView source, IEnumerable<DataViewSchema.Column> columns, Random? random)
    {
        DataViewSchema.Column[] wanted = [.. columns];
        bool[] active = Active(wanted);
        // Whether a row is left out is seen by what the stage reads, whichever columns are asked for.
        DataViewSchema.Column[] reads = policy.BadRows == BadRows.Skip ? [.. wanted, .. OutputSchema.Where(c => c.Index >= input.Count)] : wanted;
        DataViewRowCursor cursor = source.GetRowCursor(GetDependencies(reads), random);
        int window = windowSize(name => added.Index().Any(a => a.Item.Name == name && active[input.Count + a.Index]));
        RowWindow rows = window == 1 ? new SingleRow(cursor) : new ReadAheadRows(cursor, window, policy.BadRows != BadRows.Fail);
        return policy.BadRows == BadRows.Skip
            ? new SkippingCursor(new MappedColumns(this, rows, active), warn)
            : new MappedCursor(new MappedColumns(this, rows, active));
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
