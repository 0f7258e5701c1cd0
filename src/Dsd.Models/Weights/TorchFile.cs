using System.IO.Compression;
using Dsd.Common.Files;

namespace Dsd.Models.Weights;

/// <summary>
/// The tensors of a file that PyTorch saved (<c>.pth</c>, <c>.pt</c>, <c>.bin</c>: a zip archive with a pickle), read without running the pickle: only
/// what a table of tensors needs is understood. Objects of any other name are passed over, and nothing is made of them.
/// </summary>
/// <remarks>
/// The file is not trusted: sizes are checked against the archive's files before anything is allocated by them. Dictionaries within dictionaries give names
/// that are joined by dots, as in <c>model_state_dict.module.conv1.weight</c>. Files from before PyTorch 1.6 are no archives, and are refused. Reading from
/// several threads at once is fine. One storage at a time is held in memory.
/// </remarks>
public sealed class TorchFile : ITensorSource
{
    private const string PickleFile = "data.pkl";
    private const int MostPickleBytes = 16_000_000;
    private const int MostDepth = 8;
    private const int MostNames = 1_000_000;

    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PickledTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _passedOver = new(StringComparer.Ordinal);
    private readonly Lock _reading = new();
    private readonly long _length;
    private string _root = "";
    private string? _heldKey;
    private byte[] _held = [];

    private TorchFile(string path, ZipArchive archive, long length) => (Path, _archive, _length) = (path, archive, length);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Opens a file and reads its table of tensors; their numbers are read when they are asked for.</summary>
    /// <exception cref="WeightsException">The file is no archive of PyTorch, is truncated, or its pickle holds what tables of tensors do not need.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static TorchFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] start = FileKind.Start(path);
        if (!start.AsSpan().StartsWith("PK"u8))
        {
            throw new WeightsException(path, "a file of PyTorch 1.6 or later, which is a zip archive", FileKind.Of(start) ?? "bytes of another kind");
        }
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            TorchFile opened = new(path, new ZipArchive(stream, ZipArchiveMode.Read), stream.Length);
            opened.ReadTable();
            return opened;
        }
        catch (InvalidDataException e)
        {
            stream.Dispose();
            throw new WeightsException(path, "a whole zip archive, as PyTorch saves it", "a damaged or truncated one. Fetch it again", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <inheritdoc/>
    public TensorEntry Entry(string name)
    {
        PickledTensor tensor = Tensor(name);
        int size = DTypes.Bits(tensor.Storage.DType) / 8;
        long count = tensor.Shape.Aggregate(1L, (product, side) => product * side);
        return new TensorEntry(name, tensor.Storage.DType, tensor.Shape, tensor.Offset * size, (tensor.Offset + count) * size);
    }

    /// <inheritdoc/>
    public void ReadFloats(string name, long first, Span<float> values)
    {
        PickledTensor tensor = Tensor(name);
        TensorEntry entry = Entry(name);
        if (!entry.IsFloating)
        {
            throw new WeightsException(Path, $"floating-point numbers in '{name}'", $"{entry}");
        }
        if (first < 0 || first + values.Length > entry.ElementCount)
        {
            throw new ArgumentOutOfRangeException(nameof(first), first, $"'{name}' has {entry.ElementCount} elements, fewer than are asked for.");
        }
        if (values.IsEmpty)
        {
            return;
        }
        int size = DTypes.Bits(entry.DType) / 8;
        lock (_reading)
        {
            ReadOnlySpan<byte> storage = Held(tensor.Storage);
            if (tensor.IsContiguous)
            {
                FloatReader.Read(storage.Slice(checked((int)((tensor.Offset + first) * size)), values.Length * size), entry.DType, values);
                return;
            }
            for (int i = 0; i < values.Length; i++)
            {
                FloatReader.Read(storage.Slice(checked((int)(Place(tensor, first + i) * size)), size), entry.DType, values.Slice(i, 1));
            }
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _archive.Dispose();

    private void ReadTable()
    {
        foreach (ZipArchiveEntry entry in _archive.Entries)
        {
            if (!_entries.TryAdd(entry.FullName, entry))
            {
                throw new WeightsException(Path, "each file of the archive once", $"'{entry.FullName}' twice");
            }
        }
        // All lie in one folder, whose name is that of the file when it was saved.
        string[] pickles = [.. _entries.Keys.Where(n => n == PickleFile || n.EndsWith($"/{PickleFile}", StringComparison.Ordinal)).Take(2)];
        if (pickles.Length != 1)
        {
            throw new WeightsException(
                Path, $"an archive of PyTorch with one {PickleFile}", pickles.Length == 0 ? "a zip archive without it" : $"'{pickles[0]}' and '{pickles[1]}'");
        }
        _root = pickles[0][..^PickleFile.Length];
        if (_entries.TryGetValue($"{_root}byteorder", out ZipArchiveEntry? order) && !Bytes(order, 16).AsSpan().SequenceEqual("little"u8))
        {
            throw new WeightsException(Path, "numbers whose lowest byte comes first", "a file of another byte order");
        }
        object? table = new PickleReader(Path, Bytes(_entries[pickles[0]], MostPickleBytes)).Read();
        if (table is not PickledDictionary dictionary)
        {
            string found = table switch
            {
                PickledTensor => "one tensor",
                PickledObject whole => $"an object of '{whole.Name}', which is not read here",
                _ => "another object",
            };
            throw new WeightsException(Path, "a dictionary of tensors", $"{found}. Save its state dict alone");
        }
        int left = MostNames;
        Add("", dictionary, MostDepth, ref left);
        if (_tensors.Count == 0)
        {
            throw new WeightsException(
                Path, "a dictionary of tensors",
                _passedOver.Count == 0
                    ? "none in it"
                    : $"none in it, but '{_passedOver.First().Key}', an object of '{_passedOver.First().Value}' that is not read");
        }
    }

    private void Add(string prefix, PickledDictionary dictionary, int depth, ref int left)
    {
        foreach ((object? key, object? value) in dictionary.Entries)
        {
            if (depth == 0 || --left < 0)
            {
                throw new WeightsException(
                    Path, $"at most {MostNames} entries in dictionaries of at most {MostDepth} levels", "more, or a dictionary within itself");
            }
            string name = $"{prefix}{key}";
            if (value is PickledDictionary inner)
            {
                Add($"{name}.", inner, depth - 1, ref left);
            }
            else if (value is PickledObject other)
            {
                _passedOver[name] = other.Name;
            }
            else if (value is PickledTensor tensor)
            {
                CheckStorage(name, tensor.Storage);
                if (key is not string || !_tensors.TryAdd(name, tensor))
                {
                    throw new WeightsException(Path, "each tensor under a name of its own", $"'{name}' twice, or a name that is no text");
                }
            }
        }
    }

    private void CheckStorage(string name, PickledStorage storage)
    {
        int size = DTypes.Bits(storage.DType) / 8;
        if (!_entries.TryGetValue($"{_root}data/{storage.Key}", out ZipArchiveEntry? entry))
        {
            throw new WeightsException(Path, $"the archive's file '{_root}data/{storage.Key}' for '{name}'", "no such file");
        }
        if (storage.Elements > int.MaxValue / size || entry.Length != storage.Elements * size)
        {
            throw new WeightsException(
                Path, $"{storage.Elements} elements of {storage.DType} (at most {int.MaxValue} bytes) for '{name}' in '{entry.FullName}'",
                $"{entry.Length} bytes");
        }
        CheckStored(entry);
    }

    // PyTorch compresses nothing, so that a file's length in the archive is never more than the archive's.
    private void CheckStored(ZipArchiveEntry entry)
    {
        if (entry.IsEncrypted || entry.CompressedLength != entry.Length || entry.Length > _length)
        {
            throw new WeightsException(
                Path, $"'{entry.FullName}' as PyTorch stores it, neither compressed nor encrypted",
                $"{entry.Length} bytes in {entry.CompressedLength} of a file of {_length}");
        }
    }

    private byte[] Bytes(ZipArchiveEntry entry, int most)
    {
        CheckStored(entry);
        if (entry.Length > most)
        {
            throw new WeightsException(Path, $"at most {most} bytes in '{entry.FullName}'", $"{entry.Length}");
        }
        byte[] bytes = new byte[entry.Length];
        try
        {
            using Stream stream = entry.Open();
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new WeightsException(Path, $"{entry.Length} bytes in '{entry.FullName}'", "an archive that is damaged there. Fetch it again", e);
        }
    }

    // Tensors are read from start to end, and then the next one.
    private byte[] Held(PickledStorage storage)
    {
        if (_heldKey != storage.Key)
        {
            (_heldKey, _held) = (null, []);
            _held = Bytes(_entries[$"{_root}data/{storage.Key}"], int.MaxValue);
            _heldKey = storage.Key;
        }
        return _held;
    }

    private static long Place(PickledTensor tensor, long element)
    {
        long place = tensor.Offset;
        for (int i = tensor.Shape.Length - 1; i >= 0; i--)
        {
            (element, long along) = Math.DivRem(element, tensor.Shape[i]);
            place += along * tensor.Strides[i];
        }
        return place;
    }

    private PickledTensor Tensor(string name) =>
        _tensors.TryGetValue(name, out PickledTensor? tensor)
            ? tensor
            : throw new WeightsException(
                Path, $"a tensor '{name}'",
                _passedOver.TryGetValue(name, out string? other)
                    ? $"an object of '{other}', which is not read here"
                    : $"{_tensors.Count} tensors, none of them it");
}
