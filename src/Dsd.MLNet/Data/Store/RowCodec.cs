using System.Buffers.Binary;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.Data.Store;

/// <summary>Rows as bytes: for each column its length and its value.</summary>
internal sealed class RowCodec(DataViewSchema schema, IReadOnlyList<DataViewSchema.Column> columns)
{
    private static readonly MethodInfo Typed = typeof(RowCodec).GetMethod(nameof(TypedWriter), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly MethodInfo TypedGet = typeof(RowCodec).GetMethod(nameof(TypedGetter), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>The columns that are kept.</summary>
    public IReadOnlyList<DataViewSchema.Column> Columns => columns;

    /// <exception cref="NotSupportedException">A column holds what cannot be kept.</exception>
    public static void Require(IEnumerable<(string Name, DataViewType Type)> columns)
    {
        if (columns.FirstOrDefault(c => !IsKept(c.Type)) is { Name: { } name, Type: { } type })
        {
            throw new NotSupportedException($"Column '{name}' holds {type}, which a {nameof(RowStore)} cannot keep. Drop it before (DropColumns).");
        }
    }

    /// <summary>Whether values of the type can be kept.</summary>
    public static bool IsKept(DataViewType type) => type is ImageDataViewType or LoraDataViewType || IsPlain(type);

    /// <summary>Whether values of the type are texts, numbers or truth values, or vectors of them.</summary>
    public static bool IsPlain(DataViewType type) => ValueCodec.Plain((type as VectorDataViewType)?.ItemType.RawType ?? type.RawType);

    /// <summary>Makes what gives the bytes of the row that a cursor stands on.</summary>
    public Func<byte[]> Reader(DataViewRow row)
    {
        Action<BinaryWriter>[] writers = [.. columns.Select(c => (Action<BinaryWriter>)Made(Typed, c.Type, row, row.Schema[c.Index], ValueCodec.Of(c.Type)))];
        return () =>
        {
            using MemoryStream bytes = new();
            using BinaryWriter writer = new(bytes);
            foreach (Action<BinaryWriter> write in writers)
            {
                long start = bytes.Position;
                writer.Write(0);
                write(writer);
                long end = bytes.Position;
                bytes.Position = start;
                writer.Write(checked((int)(end - start - sizeof(int))));
                bytes.Position = end;
            }
            return bytes.ToArray();
        };
    }

    /// <summary>A getter of a column's values.</summary>
    /// <param name="column">The column.</param>
    /// <param name="row">Gives the current row's bytes.</param>
    public Delegate Getter(DataViewSchema.Column column, Func<byte[]> row)
    {
        int slot = columns.Index().First(c => c.Item.Index == column.Index).Index;
        return column.Type is LoraDataViewType
            ? FineTuning.AdapterAnnotation.Getter(schema[column.Index])
            : (Delegate)Made(TypedGet, column.Type, ValueCodec.Of(column.Type), (Func<ReadOnlyMemory<byte>>)Bytes, column.Name);

        ReadOnlyMemory<byte> Bytes()
        {
            ReadOnlyMemory<byte> left = row();
            for (int i = 0; ; i++)
            {
                int length = left.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(left.Span) : -1;
                if (length < 0 || length > left.Length - sizeof(int))
                {
                    throw new InvalidDataException($"A kept row ends before its column '{column.Name}'.");
                }
                left = left[sizeof(int)..];
                if (i == slot)
                {
                    return left[..length];
                }
                left = left[length..];
            }
        }
    }

    private static object Made(MethodInfo method, DataViewType type, params object[] arguments) =>
        method.MakeGenericMethod(type.RawType).Invoke(null, arguments)!;

    private static Action<BinaryWriter> TypedWriter<T>(DataViewRow row, DataViewSchema.Column column, object codec)
    {
        if (typeof(T) == typeof(LoraWeights))
        {
            // It is the same in every row and noted at the column, where it is read again.
            return _ => { };
        }
        ValueGetter<T> get = row.GetGetter<T>(column);
        ValueCodec<T> typed = (ValueCodec<T>)codec;
        return writer =>
        {
            T value = default!;
            get(ref value);
            typed.Write(writer, value);
        };
    }

    private static ValueGetter<T> TypedGetter<T>(ValueCodec<T> codec, Func<ReadOnlyMemory<byte>> bytes, string column) => (ref T value) =>
    {
        ReadOnlyMemory<byte> kept = bytes();
        try
        {
            value = codec.Read(kept);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or Imaging.PictureException)
        {
            throw new InvalidDataException($"The kept value of column '{column}' cannot be read: {e.Message}", e);
        }
    };
}
