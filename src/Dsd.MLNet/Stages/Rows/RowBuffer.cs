using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>Some rows of a cursor, kept as they were when it stood on them: the values of columns, positions and ids.</summary>
/// <remarks>One thread may read into a slot while another looks at a different one.</remarks>
internal sealed class RowBuffer : IDisposable
{
    private readonly DataViewRowCursor _source;
    private readonly BufferedColumn?[] _columns;
    private readonly ValueGetter<DataViewRowId> _sourceId;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _positions;
    private readonly long[] _batches;

    /// <summary>Room for so many rows of a cursor.</summary>
    /// <param name="source">The cursor, which stays the caller's.</param>
    /// <param name="size">How many rows.</param>
    /// <param name="wanted">Which of its active columns are kept.</param>
    /// <param name="keepFailures">Whether a value that the source cannot give fails when it is asked for, not when it is read.</param>
    public RowBuffer(DataViewRowCursor source, int size, Func<DataViewSchema.Column, bool> wanted, bool keepFailures = false)
    {
        _source = source;
        _columns = [.. source.Schema.Select(c => source.IsColumnActive(c) && wanted(c) ? BufferedColumn.Create(source, c, size, keepFailures) : null)];
        _sourceId = source.GetIdGetter();
        _ids = new DataViewRowId[size];
        _positions = new long[size];
        _batches = new long[size];
        Row = new BufferedRow(this);
    }

    /// <summary>The row in the slot that is looked at.</summary>
    public DataViewRow Row { get; }

    /// <summary>The slot that is looked at; below zero for none.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Where the row of a slot stands in the source.</summary>
    public long PositionOf(int slot) => _positions[slot];

    /// <summary>Keeps the row that the source stands on.</summary>
    public void Read(int slot)
    {
        foreach (BufferedColumn? column in _columns)
        {
            column?.Read(slot);
        }
        _sourceId(ref _ids[slot]);
        (_positions[slot], _batches[slot]) = (_source.Position, _source.Batch);
    }

    public void Dispose()
    {
        Slot = -1;
        foreach (BufferedColumn? column in _columns)
        {
            column?.Clear();
        }
    }

    private int Standing => Slot >= 0 ? Slot : throw RowWindow.NoRow();

    private sealed class BufferedRow(RowBuffer buffer) : DataViewRow
    {
        public override DataViewSchema Schema => buffer._source.Schema;

        public override long Position => buffer.Slot < 0 ? -1 : buffer._positions[buffer.Slot];

        public override long Batch => buffer.Slot < 0 ? 0 : buffer._batches[buffer.Slot];

        public override bool IsColumnActive(DataViewSchema.Column column) => buffer._columns[column.Index] is not null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            BufferedColumn buffered = buffer._columns[column.Index]
                ?? throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
            return buffered is BufferedColumn<TValue> typed
                ? (ref TValue value) => typed.Give(buffer.Standing, ref value)
                : throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, not {typeof(TValue)}.");
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = buffer._ids[buffer.Standing];
    }
}
