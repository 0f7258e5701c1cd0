using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A cursor with the added columns.</summary>
internal class MappedCursor(MappedColumns columns) : DataViewRowCursor, IStoppable
{
    public override DataViewSchema Schema => columns.Schema;

    public override long Position => columns.Rows.HasRow ? columns.Rows.Row.Position : -1;

    public override long Batch => columns.Rows.Row.Batch;

    public override bool MoveNext() => columns.Rows.MoveNext();

    public override bool IsColumnActive(DataViewSchema.Column column) => columns.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => columns.Getter<TValue>(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => columns.IdGetter();

    public void Stop() => columns.Rows.Stop();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            columns.Dispose();
        }
        base.Dispose(disposing);
    }
}
