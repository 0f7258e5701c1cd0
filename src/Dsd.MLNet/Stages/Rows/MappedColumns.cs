using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>The columns of one cursor or row: those of the source passed through, and the added ones.</summary>
internal sealed class MappedColumns(RowMapper mapper, RowWindow rows, bool[] active) : IDisposable
{
    // Opened by the first getter of an added column: before that, what it reads need not be active.
    private readonly Lazy<Func<string, Delegate>> _open = new(() => mapper.Open(rows));
    private ValueGetter<ReadOnlyMemory<char>>? _fault;

    public DataViewSchema Schema => mapper.OutputSchema;

    public RowWindow Rows => rows;

    /// <summary>What is wrong with the row that the cursor stands on. Null: nothing.</summary>
    public string? Fault
    {
        get
        {
            _fault ??= (ValueGetter<ReadOnlyMemory<char>>)_open.Value(RowToRowTransformer.Fault);
            ReadOnlyMemory<char> fault = default;
            _fault(ref fault);
            return fault.IsEmpty ? null : fault.ToString();
        }
    }

    public bool IsActive(DataViewSchema.Column column) => column.Index < active.Length && active[column.Index];

    public ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column)
    {
        if (!IsActive(column))
        {
            throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
        }
        int passed = mapper.InputSchema.Count;
        ValueGetter<TValue> getter = column.Index < passed
            ? OwnValue.Passed(rows.Row.GetGetter<TValue>(mapper.InputSchema[column.Index]), column.Type)
            : _open.Value(mapper.NameOf(column.Index - passed)) as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, not {typeof(TValue)}.");
        return (ref TValue value) =>
        {
            rows.RequireRow();
            getter(ref value);
        };
    }

    public ValueGetter<DataViewRowId> IdGetter()
    {
        ValueGetter<DataViewRowId> getter = rows.Row.GetIdGetter();
        return (ref DataViewRowId id) =>
        {
            rows.RequireRow();
            getter(ref id);
        };
    }

    public void Dispose() => rows.Dispose();
}
