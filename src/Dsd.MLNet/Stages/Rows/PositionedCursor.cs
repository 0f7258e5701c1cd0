using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A cursor over rows that can be reached by their position.</summary>
internal abstract class PositionedCursor : DataViewRowCursor
{
    private readonly bool[] _active;
    private long _position = -1;
    private bool _ended;

    protected PositionedCursor(DataViewSchema schema, IEnumerable<DataViewSchema.Column> columns)
    {
        Schema = schema;
        _active = new bool[schema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            _active[column.Index] = true;
        }
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _ended ? -1 : _position;

    public override long Batch => 0;

    /// <summary>Tells the row from others, wherever it stands.</summary>
    protected abstract ulong RowId { get; }

    public override bool MoveNext()
    {
        if (_ended)
        {
            return false;
        }
        // Until the row is there, the cursor stands on none, also where none comes because of a failure.
        _ended = true;
        if (!Seek(_position + 1))
        {
            return false;
        }
        _ended = false;
        _position++;
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < _active.Length && _active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
        {
            throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
        }
        ValueGetter<TValue> getter = Getter(column) as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, not {typeof(TValue)}.");
        return (ref TValue value) =>
        {
            RequireRow();
            getter(ref value);
        };
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
    {
        RequireRow();
        id = new DataViewRowId(RowId, 0);
    };

    /// <summary>Goes to a row; false where there is none.</summary>
    protected abstract bool Seek(long position);

    /// <summary>A <c>ValueGetter</c> of the column's type for the row that the cursor stands on.</summary>
    protected abstract Delegate Getter(DataViewSchema.Column column);

    /// <summary>Lets go of what the cursor holds.</summary>
    protected virtual void Close()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ended = true;
            Close();
        }
        base.Dispose(disposing);
    }

    private void RequireRow()
    {
        if (_ended || _position < 0)
        {
            throw RowWindow.NoRow();
        }
    }
}
