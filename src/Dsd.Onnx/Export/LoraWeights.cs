using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Onnx.Export;

/// <summary>A LoRA file for a transformer, as an export needs it: factors by weight name, and whole tensors that replace or extend the checkpoint's.</summary>
/// <remarks>Keys as PEFT writes them, under <c>transformer.</c>; alpha and rank from the file's <c>lora_adapter_metadata</c>, else alpha is the rank.</remarks>
internal sealed class LoraWeights : IDisposable
{
    private const string Prefix = "transformer.";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";

    private readonly float _strength;
    private readonly HashSet<string> _modules = [];
    private readonly HashSet<string> _wholes = [];
    private readonly HashSet<string> _merged = [];
    private readonly JsonElement? _metadata;

    private LoraWeights(WeightSource source, float strength)
    {
        Source = source;
        _strength = strength;
        if (source.Metadata.TryGetValue("lora_adapter_metadata", out string? json))
        {
            _metadata = Parse(json);
        }
        foreach (string name in source.Names)
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                throw new WeightsException(source.Path, $"tensors of a transformer, named '{Prefix}…'", $"'{name}'");
            }
            string local = name[Prefix.Length..];
            if (local.EndsWith(SuffixA, StringComparison.Ordinal) || local.EndsWith(SuffixB, StringComparison.Ordinal))
            {
                _modules.Add(local[..^SuffixA.Length]);
            }
            else if (local.Contains(".lora_", StringComparison.Ordinal) || local.EndsWith(".alpha", StringComparison.Ordinal))
            {
                throw new WeightsException(source.Path, $"pairs '…{SuffixA}' and '…{SuffixB}', or whole weights", $"'{name}', which this export does not know");
            }
            else
            {
                _wholes.Add(local);
            }
        }
    }

    /// <summary>The file.</summary>
    public WeightSource Source { get; }

    /// <summary>Opens a LoRA file.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="strength">What its additions are multiplied by, beside alpha / rank.</param>
    public static LoraWeights Open(string path, float strength)
    {
        WeightSource source = WeightSource.Open(path);
        try
        {
            return new LoraWeights(source, strength);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>The key of a whole tensor that stands in for the checkpoint's, or null.</summary>
    public string? Replacement(string name) => _wholes.Contains(name) ? Prefix + name : null;

    /// <summary>Reads the factors for a weight [outputs, inputs]; null where the file has none. What does not fit is added to the faults.</summary>
    public Func<LoraPair>? Take(string weight, int inputs, int outputs, List<string> faults)
    {
        string module = weight[..^".weight".Length];
        if (!_modules.Contains(module))
        {
            return null;
        }
        _merged.Add(module);
        (string a, string b) = (Prefix + module + SuffixA, Prefix + module + SuffixB);
        foreach (string key in new[] { a, b })
        {
            if (!Source.Contains(key) || Source.Entry(key).Shape.Length != 2 || !FloatReader.CanRead(Source.Entry(key).DType))
            {
                faults.Add($"'{key}' of '{Source.Path}' is missing or no floating matrix");
                return null;
            }
        }
        TensorEntry entryA = Source.Entry(a);
        TensorEntry entryB = Source.Entry(b);
        long rank = entryA.Shape[0];
        if (rank < 1 || entryA.Shape[1] != inputs || entryB.Shape[0] != outputs || entryB.Shape[1] != rank)
        {
            faults.Add($"'{a}' {entryA} and '{b}' {entryB} of '{Source.Path}' where '{weight}' asks for [rank, {inputs}] and [{outputs}, rank]");
            return null;
        }
        float scale = _strength * Scaling(module, rank);
        return () => new LoraPair(Read(entryA), Read(entryB), (int)rank, scale);
    }

    /// <summary>What of the file found no place in the graph, as faults.</summary>
    public IEnumerable<string> Unused(Func<string, bool> taken) =>
        _modules.Except(_merged).Order(StringComparer.Ordinal).Select(m => $"'{Source.Path}' adapts '{m}', which this model lacks")
            .Concat(_wholes.Where(w => !taken(Prefix + w)).Order(StringComparer.Ordinal).Select(w => $"'{Source.Path}' brings '{w}', which this model lacks"));

    /// <summary>Closes the file.</summary>
    public void Dispose() => Source.Dispose();

    private float[] Read(TensorEntry entry)
    {
        float[] values = new float[entry.ElementCount];
        FloatReader.Read(Source.Bytes(entry.Name), entry.DType, 0, values);
        return values;
    }

    private float Scaling(string module, long rank)
    {
        if (_metadata is not { } metadata)
        {
            return 1f;
        }
        double alpha = Pattern(metadata, "alpha_pattern", module) ?? Number(metadata, "lora_alpha") ?? rank;
        bool rootOfRank = metadata.TryGetProperty($"{Prefix}use_rslora", out JsonElement rs) && rs.ValueKind == JsonValueKind.True;
        return (float)(alpha / (rootOfRank ? Math.Sqrt(rank) : rank));
    }

    private static double? Number(JsonElement metadata, string field) =>
        metadata.TryGetProperty(Prefix + field, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static double? Pattern(JsonElement metadata, string field, string module)
    {
        if (metadata.TryGetProperty(Prefix + field, out JsonElement patterns) && patterns.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty pattern in patterns.EnumerateObject())
            {
                if ((module == pattern.Name || module.EndsWith("." + pattern.Name, StringComparison.Ordinal)) && pattern.Value.ValueKind == JsonValueKind.Number)
                {
                    return pattern.Value.GetDouble();
                }
            }
        }
        return null;
    }

    private JsonElement Parse(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new WeightsException(Source.Path, "metadata 'lora_adapter_metadata' as a JSON object", $"{document.RootElement.ValueKind}");
        }
        catch (JsonException e)
        {
            throw new WeightsException(Source.Path, "metadata 'lora_adapter_metadata' as JSON", e.Message, e);
        }
    }
}
