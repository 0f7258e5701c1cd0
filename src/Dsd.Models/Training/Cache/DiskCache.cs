using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dsd.Common.Files;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Cache;

/// <summary>What encoders gave, one safetensors file an entry, in folders of the key's first two digits.</summary>
/// <remarks>
/// Several processes may fill one folder at once: an entry appears whole or not at all, and who comes second writes the same. An entry holds its own key
/// and a checksum, so that one that is cut off, damaged or another's is known.
/// </remarks>
internal sealed class DiskCache
{
    /// <summary>Version of the files and of the keys. Entries of another are not found.</summary>
    public const string Format = "dsd-cache-1";

    private readonly string _folder;

    /// <summary>A cache in a folder, which is made if need be.</summary>
    /// <exception cref="IOException">The folder cannot be written, or a file stands in its place.</exception>
    public DiskCache(string folder)
    {
        if (File.Exists(folder))
        {
            throw new IOException($"Cannot use '{folder}' as the cache's folder: a file stands there. Choose another place.");
        }
        WritablePlace.RequireFolder(folder);
        _folder = folder;
    }

    /// <summary>The file of an entry.</summary>
    public string PathOf(CacheKey key)
    {
        string name = key.ToString();
        return Path.Combine(_folder, name[..2], $"{name}.safetensors");
    }

    /// <summary>Whether there is an entry and it is whole.</summary>
    public EntryState StateOf(CacheKey key, IReadOnlyList<long[]>? shapes)
    {
        string path = PathOf(key);
        return !File.Exists(path) ? EntryState.Missing : Read(path, key, shapes) is not null ? EntryState.Whole : EntryState.Damaged;
    }

    /// <summary>Reads an entry as bytes, which any thread may do.</summary>
    /// <exception cref="IOException">It is missing or damaged, which the pass before training would have noticed: it happened since.</exception>
    public byte[] Read(CacheKey key)
    {
        string path = PathOf(key);
        if (Read(path, key, shapes: null) is { } bytes)
        {
            return bytes;
        }
        throw new IOException(
            $"Cache entry '{path}' is {(File.Exists(path) ? "damaged" : "gone")}, though it was whole when training began. Start the training again: "
                + "it makes the entry anew and goes on from its checkpoint.");
    }

    /// <summary>The tensors of an entry's bytes, on the CPU.</summary>
    public static Tensor[] Tensors(byte[] entry)
    {
        using SafetensorsFile file = SafetensorsFile.Open(entry, "a cache entry");
        return [.. Enumerable.Range(0, file.Entries.Count).Select(i => file.Read($"{i}"))];
    }

    /// <summary>Writes an entry.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(CacheKey key, IReadOnlyList<Tensor> parts)
    {
        using DisposeScope scope = NewDisposeScope();
        KeyValuePair<string, Tensor>[] tensors = [.. parts.Select((p, i) => KeyValuePair.Create($"{i}", p.detach().cpu().contiguous()))];
        using MemoryStream file = new();
        // The checksum is of a whole file without it, so that types and shapes are in it too.
        SafetensorsWriter.Write(file, "a cache entry", tensors, Metadata(key, new string('0', 64)));
        byte[] bytes = file.GetBuffer().AsSpan(0, (int)file.Length).ToArray();
        Encoding.ASCII.GetBytes(Checksum(bytes, Place(bytes))).CopyTo(bytes.AsSpan(Place(bytes)));
        string path = PathOf(key);
        try
        {
            AtomicFile.Write(path, stream => stream.Write(bytes));
        }
        catch (IOException) when (StateOf(key, shapes: null) == EntryState.Whole)
        {
            // Another process wrote it, and where it is being read a system may forbid to replace it.
        }
    }

    private static Dictionary<string, string> Metadata(CacheKey key, string checksum) =>
        new() { ["format"] = Format, ["key"] = key.ToString(), ["checksum"] = checksum };

    /// <summary>The bytes of an entry; null where there is no whole one of this key and shapes.</summary>
    private static byte[]? Read(string path, CacheKey key, IReadOnlyList<long[]>? shapes)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            using SafetensorsFile file = SafetensorsFile.Open(bytes, path);
            return file.Metadata.GetValueOrDefault("format") == Format
                && file.Metadata.GetValueOrDefault("key") == key.ToString()
                && Place(bytes) is > 0 and int place
                && file.Metadata.GetValueOrDefault("checksum") == Checksum(bytes, place)
                && (shapes is null || HasShapes(file, shapes))
                    ? bytes
                    : null;
        }
        catch (Exception e) when (e is SafetensorsException or FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static bool HasShapes(SafetensorsFile file, IReadOnlyList<long[]> shapes) =>
        file.Entries.Count == shapes.Count
        && shapes.Select((shape, i) => file.Entries.TryGetValue($"{i}", out TensorEntry? entry) && entry.Shape.AsSpan().SequenceEqual(shape)).All(same => same);

    /// <summary>Where the checksum's digits stand; 0 where there are none.</summary>
    private static int Place(ReadOnlySpan<byte> file)
    {
        ReadOnlySpan<byte> name = "\"checksum\":\""u8;
        int header = (int)Math.Min((ulong)(file.Length - sizeof(ulong)), BinaryPrimitives.ReadUInt64LittleEndian(file));
        int at = file.Slice(sizeof(ulong), header).IndexOf(name);
        int place = sizeof(ulong) + at + name.Length;
        return at >= 0 && place + 64 <= sizeof(ulong) + header ? place : 0;
    }

    private static string Checksum(ReadOnlySpan<byte> file, int place)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[..place]);
        hash.AppendData(file[(place + 64)..]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
