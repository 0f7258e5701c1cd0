using Dsd.Common.Files;
using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>The weights of one model, from a single safetensors file or from the shards that an index lists.</summary>
/// <remarks>Reading from several threads at once is fine. Dispose it when the weights are loaded.</remarks>
public sealed class WeightSource : ITensorSource
{
    private static readonly string[] Wholes = ["diffusion_pytorch_model.safetensors", "model.safetensors"];
    private const string IndexSuffix = ".safetensors.index.json";
    private readonly Dictionary<string, SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _byName = [];
    private readonly List<string> _names = [];
    private WeightScales? _scales;

    private WeightSource(string path) => Path = path;

    /// <summary>The file or index that was opened.</summary>
    public string Path { get; }

    /// <summary>The names of the weights; what scales them is not among them.</summary>
    public IReadOnlyCollection<string> Names => _names;

    /// <summary>
    /// The names of tensors that belong to weights of eight bits: their scales, those of inputs, and marks. Reading a weight applies its scale.
    /// </summary>
    public IReadOnlyCollection<string> ScaleNames => _scales is { } scales ? scales.Names : [];

    /// <summary>The metadata of the file, or of the first shard.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _files.Values.First().Metadata;

    /// <summary>The files by name, and <see cref="SafetensorsFile.HeaderSha256"/> of each: one, or one a shard.</summary>
    public IReadOnlyDictionary<string, string> HeaderHashes =>
        _files.Values.ToDictionary(f => System.IO.Path.GetFileName(f.Path), f => f.HeaderSha256);

    /// <summary>Opens a <c>.safetensors</c> file, a <c>.safetensors.index.json</c>, or a component's folder that holds one of them.</summary>
    /// <exception cref="WeightsException">The folder holds no weights, or the index is wrong or disagrees with its shards.</exception>
    /// <exception cref="SafetensorsException">A file breaks the format.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static WeightSource Open(string fileOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileOrFolder);
        string path = Directory.Exists(fileOrFolder) ? Find(fileOrFolder) : fileOrFolder;
        WeightSource source = new(path);
        try
        {
            if (path.EndsWith(IndexSuffix, StringComparison.Ordinal))
            {
                source.OpenShards();
            }
            else
            {
                source.Add(path);
            }
            source._scales = WeightScales.Of(source, source._byName.Keys);
            source._names.AddRange(source._byName.Keys.Where(n => !source._scales.Names.Contains(n)));
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>A tensor's type and shape.</summary>
    /// <exception cref="WeightsException">There is no such tensor.</exception>
    public TensorEntry Entry(string name) => File(name).Entry(name);

    /// <inheritdoc cref="SafetensorsFile.ReadNumber"/>
    public double ReadNumber(string name) => File(name).ReadNumber(name);

    /// <summary>Elements of a floating tensor in single precision, from some element on, multiplied by the scale that the file gives the tensor.</summary>
    /// <exception cref="WeightsException">There is no such tensor, or it is one of whole numbers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor has fewer elements.</exception>
    public void ReadFloats(string name, long first, Span<float> values)
    {
        File(name).ReadFloats(name, first, values);
        _scales?.Apply(name, Entry(name), first, values);
    }

    /// <summary>A tensor's bytes from the mapped file as they are, valid until this object is disposed.</summary>
    /// <exception cref="WeightsException">There is no such tensor, or it has 2 GB or more.</exception>
    public ReadOnlySpan<byte> Bytes(string name) => File(name).Bytes(name);

    /// <summary>
    /// A new CPU tensor with the file's own element type and shape. Numbers of eight bits come widened to single precision, and what has a scale
    /// comes in single precision multiplied by it.
    /// </summary>
    /// <exception cref="WeightsException">There is no such tensor, or TorchSharp has no such element type.</exception>
    public Tensor Read(string name)
    {
        Tensor tensor = File(name).Read(name);
        using Tensor? scale = Scale(name);
        if (scale is null)
        {
            return tensor;
        }
        using (tensor)
        {
            using Tensor wide = tensor.to(ScalarType.Float32);
            using Tensor shaped = scale.view([.. scale.shape.Take((int)Math.Min(1, wide.dim())), .. Enumerable.Repeat(1L, Math.Max(0, (int)wide.dim() - 1))]);
            return wide * shaped;
        }
    }

    /// <summary>A weight's scale in single precision, [1] or [rows], which the caller disposes; null where it has none.</summary>
    internal Tensor? Scale(string name) => _scales?.Of(name) is { } values ? tensor(values) : null;

    /// <summary>The file that holds a tensor.</summary>
    internal SafetensorsFile File(string name) =>
        _byName.TryGetValue(name, out SafetensorsFile? file)
            ? file
            : throw new WeightsException(Path, $"a tensor '{name}'", $"{_byName.Count} tensors, none of them it");

    /// <summary>Checks a tensor's shape against the config's before anything is allocated by that config.</summary>
    internal void Expect(string name, string reason, params long[] shape)
    {
        TensorEntry entry = Entry(name);
        if (!entry.Shape.AsSpan().SequenceEqual(shape))
        {
            throw new WeightsException(Path, $"tensor '{name}' as [{string.Join(", ", shape)}] ({reason})", $"{entry}");
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files.Values)
        {
            file.Dispose();
        }
    }

    private static string Find(string folder)
    {
        foreach (string whole in Wholes)
        {
            string file = System.IO.Path.Combine(folder, whole);
            foreach (string candidate in new[] { file, file + ".index.json" })
            {
                if (System.IO.File.Exists(candidate))
                {
                    return candidate;
                }
            }
        }
        string[] found =
        [
            .. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Take(10)
                .Select(f => System.IO.Path.GetFileName(f) + (OtherWeights(f) is { } kind ? $" ({kind})" : "")),
        ];
        throw new WeightsException(
            folder,
            $"{string.Join(" or ", Wholes)}, whole or with an .index.json",
            found.Length == 0 ? "an empty folder" : string.Join(", ", found));
    }

    /// <summary>What a file is that other programs take for weights; null for any other.</summary>
    private static string? OtherWeights(string file) =>
        System.IO.Path.GetExtension(file) is ".bin" or ".pt" or ".pth" or ".ckpt" or ".gguf" or ".sft" ? FileKind.Of(FileKind.Start(file)) : null;

    private SafetensorsFile Add(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(path, file);
        foreach (string name in file.Entries.Keys)
        {
            if (!_byName.TryAdd(name, file))
            {
                throw new WeightsException(Path, $"tensor '{name}' in one shard", $"it in '{_byName[name].Path}' and in '{path}'");
            }
        }
        return file;
    }

    private void OpenShards()
    {
        Dictionary<string, string> map = Json.Read<ShardIndex>(Path, maxBytes: 100_000_000).WeightMap;
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        if (map.Count == 0)
        {
            throw new WeightsException(Path, "a 'weight_map' of tensors", "an empty one");
        }
        if (map.FirstOrDefault(m => m.Value is null) is { Key: { } nowhere })
        {
            throw new WeightsException(Path, $"a shard for tensor '{nowhere}'", "null");
        }
        foreach (string shard in map.Values.Distinct().Order(StringComparer.Ordinal))
        {
            // A shard is a file of this folder: an index must not lead to other places.
            if (shard.Length == 0 || shard is "." or ".." || shard.AsSpan().IndexOfAny('/', '\\', ':') >= 0)
            {
                throw new WeightsException(Path, "shards by plain file name, in the index's own folder", $"'{shard}'");
            }
            string path = System.IO.Path.Combine(folder, shard);
            if (!System.IO.File.Exists(path))
            {
                throw new WeightsException(Path, $"the shard '{shard}' beside the index", "no such file");
            }
            Add(path);
        }
        foreach ((string name, string shard) in map)
        {
            if (!_byName.TryGetValue(name, out SafetensorsFile? file) || System.IO.Path.GetFileName(file.Path) != shard)
            {
                throw new WeightsException(
                    Path, $"tensor '{name}' in the shard '{shard}'", file is null ? "it in no shard" : $"it in '{System.IO.Path.GetFileName(file.Path)}'");
            }
        }
        foreach ((string name, SafetensorsFile file) in _byName)
        {
            if (!map.ContainsKey(name))
            {
                throw new WeightsException(Path, $"tensor '{name}' of '{System.IO.Path.GetFileName(file.Path)}' in the 'weight_map'", "it missing there");
            }
        }
    }

    private sealed record ShardIndex
    {
        public required Dictionary<string, string> WeightMap { get; init; }
    }
}
