using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>The values of one column in some rows.</summary>
internal abstract class BufferedColumn
{
    private static readonly MethodInfo Typed = typeof(BufferedColumn).GetMethod(nameof(CreateTyped), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static BufferedColumn Create(DataViewRow source, DataViewSchema.Column column, int size, bool keepFailures) =>
        (BufferedColumn)Typed.MakeGenericMethod(column.Type.RawType).Invoke(null, [source, column, size, keepFailures])!;

    /// <summary>Keeps the value of the row that the source stands on.</summary>
    public abstract void Read(int slot);

    /// <summary>Lets go of all values.</summary>
    public abstract void Clear();

    private static BufferedColumn<TValue> CreateTyped<TValue>(DataViewRow source, DataViewSchema.Column column, int size, bool keepFailures) =>
        new(source.GetGetter<TValue>(column), size, OwnValue.Copier<TValue>(column.Type), keepFailures);
}

/// <inheritdoc/>
/// <remarks>
/// What a getter gives is good only until its cursor goes on, so a value is copied when it is read. It is copied again when it is given: whoever asks
/// owns what they get.
/// </remarks>
internal sealed class BufferedColumn<TValue>(ValueGetter<TValue> source, int size, OwnValue.Copy<TValue> copy, bool keepFailures) : BufferedColumn
{
    private readonly TValue[] _values = new TValue[size];
    private readonly ExceptionDispatchInfo?[] _failures = new ExceptionDispatchInfo?[size];

    public override void Read(int slot)
    {
        // A new variable each time: ML.NET's image getters dispose what is in it, which may be a caller's own object or already given to somebody.
        TValue value = default!;
        try
        {
            source(ref value);
            _failures[slot] = null;
        }
        catch (Exception e) when (keepFailures && e is not (OperationCanceledException or ObjectDisposedException))
        {
            _failures[slot] = ExceptionDispatchInfo.Capture(e);
            return;
        }
        (_values[slot] as MLImage)?.Dispose();
        copy(ref value, ref _values[slot]);
    }

    /// <summary>Gives a copy of a value.</summary>
    public void Give(int slot, ref TValue value)
    {
        _failures[slot]?.Throw();
        copy(ref _values[slot], ref value);
    }

    public override void Clear()
    {
        foreach (TValue value in _values)
        {
            (value as MLImage)?.Dispose();
        }
        Array.Clear(_values);
    }
}
