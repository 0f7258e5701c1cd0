using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dsd.Common.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>Writes safetensors files: the same tensors in the same order give the same bytes.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes tensors of any device, a piece at a time; the file appears whole or not at all.</summary>
    /// <param name="path">Where the file shall stand.</param>
    /// <param name="tensors">Names and tensors, in the order in which they shall lie in the file.</param>
    /// <param name="metadata">Free text by key, for the header's <c>__metadata__</c>.</param>
    /// <exception cref="SafetensorsException">A name occurs twice or is reserved, or a tensor's element type has no word in the format.</exception>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        KeyValuePair<string, Tensor>[] listed = [.. tensors];
        byte[] header = Header(path, Entries(path, listed), metadata);
        AtomicFile.Write(path, stream => Write(stream, header, listed));
    }

    /// <summary>Writes what a file would hold, a piece at a time.</summary>
    /// <param name="stream">Where to write; it stays open.</param>
    /// <param name="target">What the stream is, for messages.</param>
    /// <param name="tensors">Names and tensors, in the order in which they shall lie in the file.</param>
    /// <param name="metadata">Free text by key, for the header's <c>__metadata__</c>.</param>
    /// <exception cref="SafetensorsException">
    /// A name occurs twice or is reserved, or a tensor's element type has no word in the format; nothing is written.
    /// </exception>
    public static void Write(
        Stream stream, string target, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(target);
        ArgumentNullException.ThrowIfNull(tensors);
        KeyValuePair<string, Tensor>[] listed = [.. tensors];
        Write(stream, Header(target, Entries(target, listed), metadata), listed);
    }

    /// <summary>Writes tensors of single precision whose numbers lie in arrays. It needs no libtorch.</summary>
    /// <param name="stream">Where to write; it stays open.</param>
    /// <param name="target">What the stream is, for messages.</param>
    /// <param name="tensors">Names, shapes and numbers, rows first, in the order in which they shall lie in the file.</param>
    /// <exception cref="SafetensorsException">A name occurs twice or is reserved; nothing is written.</exception>
    /// <exception cref="ArgumentException">A tensor has more or fewer numbers than its shape asks for.</exception>
    public static void Write(Stream stream, string target, IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(target);
        ArgumentNullException.ThrowIfNull(tensors);
        foreach ((string name, long[] shape, float[] values) in tensors)
        {
            if (shape.Aggregate(1L, (all, side) => checked(all * side)) != values.Length)
            {
                throw new ArgumentException($"Tensor '{name}' [{string.Join(", ", shape)}] has {values.Length} numbers.", nameof(tensors));
            }
        }
        WriteHeader(stream, Header(target, [.. tensors.Select(t => (t.Name, "F32", t.Shape))], metadata: null));
        foreach ((string _, long[] _, float[] values) in tensors)
        {
            stream.Write(MemoryMarshal.AsBytes<float>(values));
        }
    }

    /// <summary>Writes a file of given names, types and shapes, whose numbers are made as they are written: the tensors themselves hold none.</summary>
    /// <param name="path">Where the file shall stand.</param>
    /// <param name="shapes">Names, and tensors on the device <c>meta</c>, in the order in which they shall lie in the file.</param>
    /// <param name="write">Writes a tensor's bytes, little-endian, rows first.</param>
    internal static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> shapes, Action<string, Tensor, Stream> write)
    {
        KeyValuePair<string, Tensor>[] listed = [.. shapes];
        byte[] header = Header(path, Entries(path, listed), metadata: null);
        AtomicFile.Write(path, stream =>
        {
            WriteHeader(stream, header);
            foreach ((string name, Tensor tensor) in listed)
            {
                write(name, tensor, stream);
            }
        });
    }

    private static void WriteHeader(Stream stream, byte[] header)
    {
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
    }

    private static void Write(Stream stream, byte[] header, KeyValuePair<string, Tensor>[] tensors)
    {
        WriteHeader(stream, header);
        foreach ((string _, Tensor tensor) in tensors)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor whole = tensor.detach().cpu().contiguous();
            foreach (Tensor piece in TensorPieces.Of(whole))
            {
                using (piece)
                {
                    stream.Write(piece.bytes);
                }
            }
        }
    }

    private static (string Name, string DType, long[] Shape)[] Entries(string path, KeyValuePair<string, Tensor>[] tensors) =>
        [.. tensors.Select(t => (
            t.Key,
            DTypes.Name(t.Value.dtype) ?? throw new SafetensorsException(path, t.Key, $"an element type among {DTypes.Listed}", $"{t.Value.dtype}"),
            t.Value.shape))];

    private static byte[] Header(string path, (string Name, string DType, long[] Shape)[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata)
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            HashSet<string> names = ["__metadata__"];
            long begin = 0;
            foreach ((string name, string dtype, long[] shape) in tensors)
            {
                if (!names.Add(name))
                {
                    throw new SafetensorsException(path, name, "each name once, and none of them '__metadata__'", "the name again");
                }
                long end = begin + shape.Aggregate(1L, (all, side) => all * side) * DTypes.Bits(dtype) / 8;
                json.WriteStartObject(name);
                json.WriteString("dtype", dtype);
                json.WriteStartArray("shape");
                foreach (long size in shape)
                {
                    json.WriteNumberValue(size);
                }
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                begin = end;
            }
            json.WriteEndObject();
        }
        // The data begin at a multiple of eight bytes, so that a mapped tensor of any type is aligned.
        while (buffer.Length % sizeof(ulong) != 0)
        {
            buffer.WriteByte((byte)' ');
        }
        return buffer.Length <= SafetensorsHeader.MaxLength
            ? buffer.ToArray()
            : throw new SafetensorsException(path, null, $"a header of at most {SafetensorsHeader.MaxLength} bytes", $"{buffer.Length}");
    }
}
