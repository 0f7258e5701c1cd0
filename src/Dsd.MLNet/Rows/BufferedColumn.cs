using System.Reflection;
using Dsd.MLNet.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Rows;

/// <summary>The values of one column in the rows of a window.</summary>
internal abstract class BufferedColumn
{
    private static readonly MethodInfo Typed = typeof(BufferedColumn).GetMethod(nameof(CreateTyped), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static BufferedColumn Create(DataViewRow source, DataViewSchema.Column column, int size) =>
        (BufferedColumn)Typed.MakeGenericMethod(column.Type.RawType).Invoke(null, [source, column, size])!;

    /// <summary>Takes the value of the row that the source stands on.</summary>
    public abstract void Read(int slot);

    private static BufferedColumn<TValue> CreateTyped<TValue>(DataViewRow source, DataViewSchema.Column column, int size) =>
        new(source.GetGetter<TValue>(column), size, Copier<TValue>(column.Type));

    /// <summary>How a value leaves the buffer: whoever asks owns what they get, as with any other getter.</summary>
    private static BufferedColumn<TValue>.Copier Copier<TValue>(DataViewType type)
    {
        if (typeof(TValue) == typeof(MLImage))
        {
            BufferedColumn<MLImage>.Copier images = (ref MLImage from, ref MLImage to) => to = from is null ? null! : MLImages.Copy(from);
            return (BufferedColumn<TValue>.Copier)(Delegate)images;
        }
        if (type is VectorDataViewType vector)
        {
            return (BufferedColumn<TValue>.Copier)typeof(BufferedColumn).GetMethod(nameof(VectorCopier), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(vector.ItemType.RawType).Invoke(null, null)!;
        }
        return (ref TValue from, ref TValue to) => to = from;
    }

    private static BufferedColumn<VBuffer<TItem>>.Copier VectorCopier<TItem>() => (ref VBuffer<TItem> from, ref VBuffer<TItem> to) => from.CopyTo(ref to);
}

/// <inheritdoc/>
/// <remarks>
/// Pictures that the source gave are left to it and to the finaliser: they may be the very objects that a caller put into an in-memory view.
/// </remarks>
internal sealed class BufferedColumn<TValue>(ValueGetter<TValue> source, int size, BufferedColumn<TValue>.Copier copy) : BufferedColumn
{
    private readonly TValue[] _values = new TValue[size];

    public delegate void Copier(ref TValue from, ref TValue to);

    public override void Read(int slot) => source(ref _values[slot]);

    public void Copy(int slot, ref TValue value) => copy(ref _values[slot], ref value);
}
