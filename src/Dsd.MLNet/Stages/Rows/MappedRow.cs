using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A row with the added columns: what PredictionEngine reads.</summary>
internal sealed class MappedRow(MappedColumns columns) : DataViewRow
{
    public override DataViewSchema Schema => columns.Schema;

    public override long Position => columns.Rows.Row.Position;

    public override long Batch => columns.Rows.Row.Batch;

    public override bool IsColumnActive(DataViewSchema.Column column) => columns.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => columns.Getter<TValue>(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => columns.IdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            columns.Dispose();
        }
        base.Dispose(disposing);
    }
}
