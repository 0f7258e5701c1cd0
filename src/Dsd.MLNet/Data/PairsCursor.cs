using Dsd.Dataset.Formats;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Data;

/// <summary>Stands on one row of a dataset after the other.</summary>
internal sealed class PairsCursor(PairDataset dataset, DataViewSchema schema, IReadOnlyList<PairsColumn> columns, bool[] active) : DataViewRowCursor
{
    private readonly IEnumerator<PairRecord> _rows = dataset.Read().GetEnumerator();
    private PairRecord? _row;
    private long _position = -1;
    private bool _ended;

    public override DataViewSchema Schema => schema;

    public override long Position => _ended ? -1 : _position;

    public override long Batch => 0;

    /// <summary>The row that the cursor stands on.</summary>
    public PairRecord Row => _row ?? throw RowWindow.NoRow();

    public override bool MoveNext()
    {
        if (_ended)
        {
            return false;
        }
        try
        {
            if (!_rows.MoveNext())
            {
                (_row, _ended) = (null, true);
                return false;
            }
        }
        catch (Exception e) when (e is DatasetException or IOException)
        {
            (_row, _ended) = (null, true);
            throw new DsdRowException(_position + 1, columns[0].Name, e.Message, e);
        }
        _row = _rows.Current;
        _position++;
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < active.Length && active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
        {
            throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
        }
        return columns[column.Index].Open(this) as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, not {typeof(TValue)}.");
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
    {
        _ = Row;
        id = new DataViewRowId((ulong)_position, 0);
    };

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            (_row, _ended) = (null, true);
            _rows.Dispose();
        }
        base.Dispose(disposing);
    }
}
