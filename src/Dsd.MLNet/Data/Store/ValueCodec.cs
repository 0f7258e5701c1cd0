using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Data.Store;

/// <summary>Values of one type as bytes.</summary>
/// <param name="Write">Writes a value.</param>
/// <param name="Read">Reads one from all of its bytes, which are not trusted.</param>
internal sealed record ValueCodec<T>(Action<BinaryWriter, T> Write, Func<ReadOnlyMemory<byte>, T> Read);

/// <summary>How values of columns are written.</summary>
internal static class ValueCodec
{
    private static readonly Type[] Numbers =
    [
        typeof(bool), typeof(sbyte), typeof(byte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(float),
        typeof(double), typeof(DateTime), typeof(TimeSpan),
    ];

    /// <summary>Whether values of the .NET type are a text, a number or a truth value.</summary>
    public static bool Plain(Type type) => type == typeof(ReadOnlyMemory<char>) || Numbers.Contains(type);

    /// <summary>The <see cref="ValueCodec{T}"/> of a column's type.</summary>
    public static object Of(DataViewType type) => type switch
    {
        LoraDataViewType => new ValueCodec<LoraWeights>((_, _) => { }, _ => null!),
        VectorDataViewType vector when vector.ItemType.RawType == typeof(ReadOnlyMemory<char>) => Texts(vector.Size),
        VectorDataViewType vector => Make(nameof(Vector), vector.ItemType.RawType, vector.Size),
        _ when type.RawType == typeof(MLImage) => new ValueCodec<MLImage>(WriteImage, ReadImage),
        _ when type.RawType == typeof(ReadOnlyMemory<char>) => new ValueCodec<ReadOnlyMemory<char>>(
            (writer, text) => writer.Write(Encoding.UTF8.GetBytes(text.ToString())), bytes => Encoding.UTF8.GetString(bytes.Span).AsMemory()),
        _ => Make(nameof(Number), type.RawType),
    };

    private static object Make(string method, Type type, params object[] arguments) =>
        typeof(ValueCodec).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, arguments)!;

    private static ValueCodec<T> Number<T>()
        where T : unmanaged => new(
            (writer, value) => writer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value))),
            bytes => bytes.Length == Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(bytes.Span) : throw Wrong(bytes, $"{Unsafe.SizeOf<T>()} bytes"));

    /// <summary>A vector: as it is where its size is known, with all its values where it is not.</summary>
    private static ValueCodec<VBuffer<T>> Vector<T>(int size)
        where T : unmanaged
    {
        return new(Write, Read);

        void Write(BinaryWriter writer, VBuffer<T> vector)
        {
            bool dense = size == 0 || vector.IsDense;
            writer.Write(dense);
            writer.Write(dense ? vector.Length : vector.GetValues().Length);
            writer.Write(MemoryMarshal.AsBytes<T>(dense ? vector.DenseValues().ToArray() : vector.GetValues()));
            if (!dense)
            {
                writer.Write(MemoryMarshal.AsBytes(vector.GetIndices()));
            }
        }

        VBuffer<T> Read(ReadOnlyMemory<byte> bytes)
        {
            using BinaryReader reader = Reader(bytes);
            bool dense = reader.ReadBoolean();
            int count = reader.ReadInt32();
            long expected = 1 + sizeof(int) + (long)count * (Unsafe.SizeOf<T>() + (dense ? 0 : sizeof(int)));
            if (count < 0 || expected != bytes.Length || (size > 0 && (dense ? count != size : count > size)) || (size == 0 && !dense))
            {
                throw Wrong(bytes, "a vector");
            }
            ReadOnlyMemory<byte> left = bytes[(1 + sizeof(int))..];
            T[] values = MemoryMarshal.Cast<byte, T>(left.Span[..(count * Unsafe.SizeOf<T>())]).ToArray();
            if (dense)
            {
                return new VBuffer<T>(count, values);
            }
            int[] indices = MemoryMarshal.Cast<byte, int>(left.Span[(count * Unsafe.SizeOf<T>())..]).ToArray();
            for (int i = 0; i < count; i++)
            {
                if (indices[i] < (i == 0 ? 0 : indices[i - 1] + 1) || indices[i] >= size)
                {
                    throw Wrong(bytes, "rising indices within the vector");
                }
            }
            return new VBuffer<T>(size, count, values, indices);
        }
    }

    private static ValueCodec<VBuffer<ReadOnlyMemory<char>>> Texts(int size) => new(
        (writer, texts) =>
        {
            writer.Write(texts.Length);
            foreach (ReadOnlyMemory<char> text in texts.DenseValues())
            {
                writer.Write(text.ToString());
            }
        },
        bytes =>
        {
            using BinaryReader reader = Reader(bytes);
            int count = reader.ReadInt32();
            // A text takes a byte at least.
            if (count < 0 || count > bytes.Length || (size > 0 && count != size))
            {
                throw Wrong(bytes, "a vector of texts");
            }
            return InputReaders.Vector([.. Enumerable.Range(0, count).Select(_ => reader.ReadString())]);
        });

    private static void WriteImage(BinaryWriter writer, MLImage image)
    {
        if (image is null)
        {
            writer.Write((byte)ImageForm.None);
            return;
        }
        bool opaque = image.PixelFormat == MLPixelFormat.Bgra32 && IsOpaque(image.Pixels);
        writer.Write((byte)(opaque ? ImageForm.Png : ImageForm.Pixels));
        writer.Write(image.Tag ?? "");
        if (opaque)
        {
            writer.Write(MLImages.ToPicture(image, "an image").EncodePng(quickly: true));
        }
        else
        {
            writer.Write(image.Width);
            writer.Write(image.Height);
            writer.Write((byte)image.PixelFormat);
            writer.Flush();
            using ZLibStream packed = new(writer.BaseStream, CompressionLevel.Fastest, leaveOpen: true);
            packed.Write(image.Pixels);
        }
        GC.KeepAlive(image);
    }

    private static MLImage ReadImage(ReadOnlyMemory<byte> bytes)
    {
        using BinaryReader reader = Reader(bytes);
        ImageForm form = (ImageForm)reader.ReadByte();
        if (form == ImageForm.None)
        {
            return null!;
        }
        string tag = reader.ReadString();
        MLImage image;
        if (form == ImageForm.Png)
        {
            image = MLImages.FromPicture(Picture.Decode(bytes.Span[(int)reader.BaseStream.Position..], "a kept image"));
        }
        else
        {
            (int width, int height, MLPixelFormat format) = (reader.ReadInt32(), reader.ReadInt32(), (MLPixelFormat)reader.ReadByte());
            if (form != ImageForm.Pixels || width is < 1 or > Picture.MaxSide || height is < 1 or > Picture.MaxSide
                || (long)width * height > Picture.MaxPixels || format is not (MLPixelFormat.Bgra32 or MLPixelFormat.Rgba32))
            {
                throw Wrong(bytes, "an image");
            }
            byte[] pixels = new byte[4 * width * height];
            using ZLibStream packed = new(reader.BaseStream, CompressionMode.Decompress);
            packed.ReadExactly(pixels);
            image = MLImage.CreateFromPixels(width, height, format, pixels);
        }
        image.Tag = tag.Length > 0 ? tag : image.Tag;
        return image;
    }

    private static bool IsOpaque(ReadOnlySpan<byte> pixels)
    {
        for (int i = 3; i < pixels.Length; i += 4)
        {
            if (pixels[i] != 255)
            {
                return false;
            }
        }
        return true;
    }

    private static BinaryReader Reader(ReadOnlyMemory<byte> bytes) => new(new MemoryStream(bytes.ToArray(), writable: false));

    private static ArgumentException Wrong(ReadOnlyMemory<byte> bytes, string expected) =>
        new($"expected {expected}, found {bytes.Length} bytes that are none");

    private enum ImageForm : byte
    {
        None,
        Png,
        Pixels,
    }
}
