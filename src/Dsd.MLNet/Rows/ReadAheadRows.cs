using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Rows;

/// <summary>Reads a few rows ahead, so that a costly column can be computed for all of them at once.</summary>
/// <remarks>Every active column of the source is read for every row of the window, because the source cannot go back.</remarks>
internal sealed class ReadAheadRows : RowWindow
{
    private readonly DataViewRowCursor _source;
    private readonly int _size;
    private readonly BufferedColumn?[] _columns;
    private readonly ValueGetter<DataViewRowId> _sourceId;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _positions;
    private readonly long[] _batches;
    private readonly BufferedRow _row;
    private int _count;
    private int _current = -1;
    private int _slot = -1;

    public ReadAheadRows(DataViewRowCursor source, int size)
    {
        _source = source;
        _size = size;
        _columns = [.. source.Schema.Select(c => source.IsColumnActive(c) ? BufferedColumn.Create(source, c, size) : null)];
        _sourceId = source.GetIdGetter();
        _ids = new DataViewRowId[size];
        _positions = new long[size];
        _batches = new long[size];
        _row = new BufferedRow(this);
    }

    public override DataViewRow Row => _row;

    public override long Window => _positions[0];

    public override int Count => _count;

    public override int Current => _current;

    public override bool MoveNext()
    {
        if (_current + 1 < _count)
        {
            _slot = ++_current;
            return true;
        }
        _count = 0;
        while (_count < _size && _source.MoveNext())
        {
            foreach (BufferedColumn? column in _columns)
            {
                column?.Read(_count);
            }
            _sourceId(ref _ids[_count]);
            (_positions[_count], _batches[_count]) = (_source.Position, _source.Batch);
            _count++;
        }
        _slot = _current = _count == 0 ? -1 : 0;
        return _count > 0;
    }

    public override T At<T>(int slot, Func<T> read)
    {
        _slot = slot;
        try
        {
            return read();
        }
        finally
        {
            _slot = _current;
        }
    }

    public override void Dispose() => _source.Dispose();

    /// <summary>The source's row as it was when the cursor read over it.</summary>
    private sealed class BufferedRow(ReadAheadRows rows) : DataViewRow
    {
        public override DataViewSchema Schema => rows._source.Schema;

        public override long Position => rows._slot < 0 ? -1 : rows._positions[rows._slot];

        public override long Batch => rows._slot < 0 ? 0 : rows._batches[rows._slot];

        public override bool IsColumnActive(DataViewSchema.Column column) => rows._columns[column.Index] is not null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            BufferedColumn buffered = rows._columns[column.Index] ?? throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
            return buffered is BufferedColumn<TValue> typed
                ? (ref TValue value) => typed.Copy(rows.Slot, ref value)
                : throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, not {typeof(TValue)}.");
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = rows._ids[rows.Slot];
    }

    private int Slot => _slot >= 0 ? _slot : throw new InvalidOperationException("The cursor stands on no row: call MoveNext first, and stop when it returns false.");
}
