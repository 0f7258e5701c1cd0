using System.Buffers;
using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Dsd.Common.Files;
using Dsd.Models.Native;
using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>
/// A safetensors file, mapped into memory: opening reads the header alone, and a tensor's bytes come in when they are used. Or the bytes of such a file
/// that are in memory already, which are not copied.
/// </summary>
/// <remarks>
/// The file is not trusted: header length, JSON, types, shapes and offsets are checked before anything is allocated by them.
/// The file or bytes must not be changed while it is open. Reading from several threads at once is fine.
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly Action _release;
    private readonly byte* _data;
    private readonly int _headerLength;
    private bool _disposed;

    /// <summary>Takes over what holds the bytes in place.</summary>
    /// <param name="path">The file, or where the bytes came from.</param>
    /// <param name="start">The first byte.</param>
    /// <param name="fileLength">How many there are, more than the eight that say how long the header is.</param>
    /// <param name="release">Lets go of the bytes.</param>
    private SafetensorsFile(string path, byte* start, long fileLength, Action release)
    {
        Path = path;
        _release = release;
        try
        {
            ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, sizeof(ulong)));
            ReadOnlySpan<byte> beginning = new(start, (int)Math.Min(fileLength, FileKind.StartLength));
            long most = Math.Min(SafetensorsHeader.MaxLength, fileLength - sizeof(ulong));
            if (headerLength > (ulong)most)
            {
                throw new SafetensorsException(
                    path,
                    null,
                    "a safetensors file",
                    headerLength <= SafetensorsHeader.MaxLength && beginning.Length > sizeof(ulong) && beginning[sizeof(ulong)] == '{'
                        ? $"{fileLength} bytes of one whose header alone has {headerLength}: the file is truncated. Fetch it again"
                        : FileKind.Of(
                            beginning) ?? $"a header that claims {headerLength} bytes in a file of {fileLength}: the file is truncated, "
                                + "or no safetensors file");
            }
            if (headerLength == 0 || beginning[sizeof(ulong)] != '{')
            {
                throw new SafetensorsException(
                    path,
                    null,
                    "a safetensors file, with a header that begins with '{'",
                    FileKind.Of(beginning) ?? (headerLength == 0 ? "an empty header" : $"byte 0x{beginning[sizeof(ulong)]:x2}"));
            }
            byte[] header = new ReadOnlySpan<byte>(start + sizeof(ulong), (int)headerLength).ToArray();
            _data = start + sizeof(ulong) + headerLength;
            _headerLength = (int)headerLength;
            (Dictionary<string, TensorEntry> entries, Dictionary<string, string> metadata) =
                SafetensorsHeader.Parse(path, header, fileLength - sizeof(ulong) - (long)headerLength);
            (Entries, Metadata) = (entries, metadata);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file's path, as it was given; of bytes in memory the words for where they came from.</summary>
    public string Path { get; }

    /// <summary>Whether it was opened from bytes in memory, so that <see cref="Path"/> is no file that others may lie beside.</summary>
    public bool IsInMemory { get; private init; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries { get; } = null!;

    /// <summary>The header's <c>__metadata__</c>; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; } = null!;

    /// <summary>
    /// The SHA-256 of the header, in hexadecimal digits: names, types, shapes and metadata. It says of a file of gigabytes at once whether it is that of
    /// another layout; the numbers themselves are not in it.
    /// </summary>
    public string HeaderSha256
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Convert.ToHexStringLower(SHA256.HashData(new ReadOnlySpan<byte>(_data - _headerLength, _headerLength)));
        }
    }

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="SafetensorsException">The file breaks the format; the message names the tensor, what was expected and found.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length <= sizeof(ulong))
            {
                byte[] all = new byte[stream.Length];
                stream.ReadExactly(all);
                throw TooShort(path, all);
            }
            MemoryMappedFile map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return Map(path, map, stream.Length);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot read '{path}': it is a folder, or its permissions forbid it ({e.Message}).", e);
        }
    }

    /// <summary>Opens the bytes of a safetensors file, which stay the caller's, with the checks that a file gets.</summary>
    /// <param name="file">The bytes. They are held in place until this object is disposed.</param>
    /// <param name="source">Where they came from, for messages, which say it in place of a path.</param>
    /// <exception cref="SafetensorsException">They break the format; the message names the tensor, what was expected and found.</exception>
    public static SafetensorsFile Open(ReadOnlyMemory<byte> file, string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        if (file.Length <= sizeof(ulong))
        {
            throw TooShort(source, file.Span);
        }
        MemoryHandle handle = file.Pin();
        return new SafetensorsFile(source, (byte*)handle.Pointer, file.Length, handle.Dispose) { IsInMemory = true };
    }

    /// <summary>The entry of a tensor.</summary>
    /// <exception cref="SafetensorsException">The file has no tensor of this name.</exception>
    public TensorEntry Entry(string name) =>
        Entries.TryGetValue(name, out TensorEntry? entry)
            ? entry
            : throw new SafetensorsException(Path, name, "a tensor of this name", $"{Entries.Count} tensors, none of them it");

    /// <summary>A tensor's bytes, little-endian and in row-major order, straight from the file: valid until this object is disposed.</summary>
    /// <exception cref="SafetensorsException">No such tensor, or one of 2 GB or more, which no span can hold.</exception>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorEntry entry = Entry(name);
        return entry.ByteLength <= int.MaxValue
            ? new ReadOnlySpan<byte>(_data + entry.Begin, (int)entry.ByteLength)
            : throw new SafetensorsException(
                Path, name, $"at most {int.MaxValue} bytes to look at in one span", $"{entry.ByteLength}; read it as a tensor instead");
    }

    /// <summary>
    /// A new CPU tensor with the file's own element type and shape; numbers of eight bits come widened to single precision, which loses nothing.
    /// </summary>
    /// <exception cref="SafetensorsException">No such tensor, or an element type that TorchSharp has no tensor for (U16, U32, U64, C64, F8_E8M0,
    /// and packed ones of fewer bits).</exception>
    /// <exception cref="DllNotFoundException">The program brings no libtorch.</exception>
    public Tensor Read(string name)
    {
        TorchLibrary.Require();
        TensorEntry entry = Entry(name);
        ScalarType type = DTypes.Scalar(entry.DType)
            ?? throw new SafetensorsException(Path, name, "an element type that a tensor can be made of", $"{entry.DType}; its bytes can be read as they are");
        Tensor tensor = empty(entry.Shape, type, device: CPU);
        CopyTo(name, tensor);
        return tensor;
    }

    /// <summary>Elements of a floating tensor in single precision, from some element on.</summary>
    /// <exception cref="SafetensorsException">No such tensor, or one of whole numbers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor has fewer elements.</exception>
    public void ReadFloats(string name, long first, Span<float> values)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorEntry entry = Entry(name);
        if (!entry.IsFloating)
        {
            throw new SafetensorsException(Path, name, "floating-point numbers", $"{entry}");
        }
        int size = DTypes.Bits(entry.DType) / 8;
        FloatReader.Read(Part(entry, first * size, (long)values.Length * size), entry.DType, values);
    }

    /// <summary>The one number of a tensor that has one, a whole or a fraction.</summary>
    /// <exception cref="SafetensorsException">No such tensor, or one of another number of elements or of a type that holds no numbers.</exception>
    public double ReadNumber(string name)
    {
        TensorEntry entry = Entry(name);
        if (entry.ElementCount == 1)
        {
            ReadOnlySpan<byte> bytes = Bytes(name);
            switch (entry.DType)
            {
                case "F64":
                    return BinaryPrimitives.ReadDoubleLittleEndian(bytes);
                case "I64":
                    return BinaryPrimitives.ReadInt64LittleEndian(bytes);
                case "I32":
                    return BinaryPrimitives.ReadInt32LittleEndian(bytes);
                case "I16":
                    return BinaryPrimitives.ReadInt16LittleEndian(bytes);
                case "I8":
                    return (sbyte)bytes[0];
                case "U8":
                    return bytes[0];
                case var _ when entry.IsFloating:
                    Span<float> one = stackalloc float[1];
                    ReadFloats(name, 0, one);
                    return one[0];
            }
        }
        throw new SafetensorsException(Path, name, "one number", $"{entry}");
    }

    /// <summary>
    /// Copies a tensor's elements, from some byte of it on, over a contiguous CPU tensor of the type that <see cref="Read"/> gives, which takes
    /// no more than the rest.
    /// </summary>
    internal void CopyTo(string name, Tensor target, long from = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorEntry entry = Entry(name);
        foreach (Tensor piece in TensorPieces.Of(target))
        {
            using (piece)
            {
                Span<byte> bytes = piece.bytes;
                if (Float8.Is(entry.DType))
                {
                    Span<float> values = MemoryMarshal.Cast<byte, float>(bytes);
                    Float8.Widen(entry.DType, Part(entry, from, values.Length), values);
                    from += values.Length;
                }
                else
                {
                    Part(entry, from, bytes.Length).CopyTo(bytes);
                    from += bytes.Length;
                }
            }
        }
    }

    private ReadOnlySpan<byte> Part(TensorEntry entry, long from, long length) =>
        from >= 0 && length <= int.MaxValue && from + length <= entry.ByteLength
            ? new ReadOnlySpan<byte>(_data + entry.Begin + from, (int)length)
            : throw new ArgumentOutOfRangeException(nameof(from), from, $"'{entry.Name}' has {entry.ByteLength} bytes, fewer than are asked for.");

    /// <summary>Unmaps the file, or lets go of the bytes.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _release();
        }
    }

    private static SafetensorsFile Map(string path, MemoryMappedFile map, long length)
    {
        MemoryMappedViewAccessor view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        return new SafetensorsFile(path, start + view.PointerOffset, length, () =>
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            map.Dispose();
        });
    }

    private static SafetensorsException TooShort(string path, ReadOnlySpan<byte> all) =>
        new(path, null, "a safetensors file", FileKind.Of(all) ?? $"{all.Length} bytes: the file is truncated. Fetch it again");
}
