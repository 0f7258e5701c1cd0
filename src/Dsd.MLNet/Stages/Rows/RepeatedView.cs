using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>A view that gives each row of its source several times, with a number from 0 in a column of its own.</summary>
internal sealed class RepeatedView(IDataView source, RowPolicy policy) : IDataView
{
    public bool CanShuffle => source.CanShuffle;

    public DataViewSchema Schema { get; } = SchemaOf(source.Schema, policy);

    /// <summary>The view that is repeated.</summary>
    public IDataView Source => source;

    /// <summary>The schema of an input as a stage sees it that makes several rows of one.</summary>
    public static DataViewSchema SchemaOf(DataViewSchema input, RowPolicy policy) =>
        policy.Number is { } number ? AddedColumn.Extend(input, [NumberOf(number)]) : input;

    /// <summary>The column with the number.</summary>
    public static AddedColumn NumberOf(string name) => new(name, NumberDataViewType.Int64, []);

    public long? GetRowCount() => source.GetRowCount() * policy.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = new bool[Schema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
        {
            active[column.Index] = true;
        }
        return new Cursor(source.GetRowCursor(source.Schema.Where(c => active[c.Index]), rand), Schema, policy.Count, active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor source, DataViewSchema schema, int count, bool[] active) : DataViewRowCursor, IStoppable
    {
        private int _number = count - 1;
        private long _position = -1;
        private bool _ended;

        public override DataViewSchema Schema => schema;

        public override long Position => _ended ? -1 : _position;

        public override long Batch => source.Batch;

        public override bool MoveNext()
        {
            if (_ended)
            {
                return false;
            }
            if (++_number == count)
            {
                _number = 0;
                _ended = !source.MoveNext();
            }
            _position++;
            return !_ended;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < active.Length && active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
            {
                throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
            }
            ValueGetter<TValue> getter = column.Index < source.Schema.Count
                ? OwnValue.Passed(source.GetGetter<TValue>(source.Schema[column.Index]), column.Type)
                : Number() as ValueGetter<TValue>
                    ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, not {typeof(TValue)}.");
            return (ref TValue value) =>
            {
                RequireRow();
                getter(ref value);
            };
        }

        public override ValueGetter<DataViewRowId> GetIdGetter()
        {
            ValueGetter<DataViewRowId> own = source.GetIdGetter();
            return (ref DataViewRowId id) =>
            {
                RequireRow();
                own(ref id);
                id = RowIds.Of(id, _number);
            };
        }

        public void Stop() => (source as IStoppable)?.Stop();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _ended = true;
                source.Dispose();
            }
            base.Dispose(disposing);
        }

        private ValueGetter<long> Number() => (ref long value) => value = _number;

        private void RequireRow()
        {
            if (_ended || _position < 0)
            {
                throw RowWindow.NoRow();
            }
        }
    }
}
