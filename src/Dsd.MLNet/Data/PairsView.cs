using Dsd.Dataset.Formats;
using Dsd.MLNet.Stages;
using Microsoft.ML;

namespace Dsd.MLNet.Data;

/// <summary>A dataset of pairs as a view. Each cursor reads the dataset from its beginning.</summary>
internal sealed class PairsView : IDataView
{
    private readonly PairDataset _dataset;
    private readonly IReadOnlyList<PairsColumn> _columns;

    public PairsView(PairDataset dataset, PairsLoaderOptions options)
    {
        _dataset = dataset;
        _columns =
        [
            PairsColumn.Image(options.ReferenceColumn, r => r.Conditioning),
            PairsColumn.Image(options.TargetColumn, r => r.Image),
            PairsColumn.Text(options.PromptColumn, r => r.Caption),
            .. dataset.Details.Select(PairsColumn.Detail),
        ];
        StageOptionCheck.Different(_columns.Select(c => c.Name));
        DataViewSchema.Builder schema = new();
        foreach (PairsColumn column in _columns)
        {
            schema.AddColumn(column.Name, column.Type);
        }
        Schema = schema.ToSchema();
    }

    // Rows come in the order of the files, which cannot go back.
    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _dataset.RowCount;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = new bool[Schema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
        {
            active[column.Index] = true;
        }
        return new PairsCursor(_dataset, Schema, _columns, active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
