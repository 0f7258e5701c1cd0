using System.Reflection;
using System.Runtime.InteropServices;
using Dsd.MLNet.Stages.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>Makes values independent of the row that they were read from.</summary>
internal static class OwnValue
{
    private static readonly MethodInfo Vectors = typeof(OwnValue).GetMethod(nameof(VectorCopier), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>Copies a value. What was in the target is left alone, but for the arrays of a vector, which are used again.</summary>
    public delegate void Copy<TValue>(ref TValue from, ref TValue to);

    /// <summary>
    /// What copies values of a column: pictures, texts and vectors as a whole. Other types are plain values, or objects that nothing changes.
    /// </summary>
    public static Copy<TValue> Copier<TValue>(DataViewType type)
    {
        if (typeof(TValue) == typeof(MLImage))
        {
            return As<TValue, MLImage>((ref MLImage from, ref MLImage to) => to = from is null ? null! : MLImages.Copy(from));
        }
        if (typeof(TValue) == typeof(ReadOnlyMemory<char>))
        {
            return As<TValue, ReadOnlyMemory<char>>((ref ReadOnlyMemory<char> from, ref ReadOnlyMemory<char> to) => to = Text(from));
        }
        return type is VectorDataViewType vector
            ? (Copy<TValue>)Vectors.MakeGenericMethod(vector.ItemType.RawType).Invoke(null, null)!
            : (ref TValue from, ref TValue to) => to = from;
    }

    /// <summary>A getter that a cursor passes on: pictures as copies, since the source disposes its own when it goes on.</summary>
    public static ValueGetter<TValue> Passed<TValue>(ValueGetter<TValue> source, DataViewType type)
    {
        if (typeof(TValue) != typeof(MLImage))
        {
            return source;
        }
        Copy<TValue> copy = Copier<TValue>(type);
        return (ref TValue value) =>
        {
            TValue read = default!;
            source(ref read);
            copy(ref read, ref value);
        };
    }

    private static Copy<VBuffer<TItem>> VectorCopier<TItem>()
    {
        if (typeof(TItem) != typeof(ReadOnlyMemory<char>))
        {
            return (ref VBuffer<TItem> from, ref VBuffer<TItem> to) => from.CopyTo(ref to);
        }
        return As<VBuffer<TItem>, VBuffer<ReadOnlyMemory<char>>>((ref VBuffer<ReadOnlyMemory<char>> from, ref VBuffer<ReadOnlyMemory<char>> to) =>
        {
            from.CopyTo(ref to);
            VBufferEditor<ReadOnlyMemory<char>> texts = VBufferEditor.CreateFromBuffer(ref to);
            for (int i = 0; i < texts.Values.Length; i++)
            {
                texts.Values[i] = Text(texts.Values[i]);
            }
            to = texts.Commit();
        });
    }

    // A string never changes; any other memory is the source's to fill again.
    private static ReadOnlyMemory<char> Text(ReadOnlyMemory<char> text) =>
        text.IsEmpty || MemoryMarshal.TryGetString(text, out _, out _, out _) ? text : text.ToString().AsMemory();

    private static Copy<TValue> As<TValue, TKnown>(Copy<TKnown> copy) => (Copy<TValue>)(Delegate)copy;
}
