using System.Text.Encodings.Web;
using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>The part of PEFT's adapter config that decides what is computed, as diffusers writes it into a file's metadata.</summary>
internal sealed class LoraMetadata
{
    /// <summary>The metadata key that holds the config as JSON.</summary>
    public const string Key = "lora_adapter_metadata";

    private const string Prefix = "transformer.";
    private const string PeftWeights = "adapter_model.safetensors";
    private const string PeftConfig = "adapter_config.json";
    private const int MostConfigBytes = 1 << 20;
    private readonly int? _rank;
    private readonly float? _alpha;
    private readonly Dictionary<string, double> _ranks;
    private readonly Dictionary<string, double> _alphas;
    private readonly bool _rankStabilised;

    private LoraMetadata(int? rank, float? alpha, Dictionary<string, double> ranks, Dictionary<string, double> alphas, bool rankStabilised) =>
        (_rank, _alpha, _ranks, _alphas, _rankStabilised) = (rank, alpha, ranks, alphas, rankStabilised);

    /// <summary>The config in the file's metadata, or in the <c>adapter_config.json</c> that PEFT writes beside an <c>adapter_model.safetensors</c>; null for neither.</summary>
    public static LoraMetadata? Of(SafetensorsFile file)
    {
        if (file.Metadata.TryGetValue(Key, out string? json))
        {
            return Parse(file.Path, json);
        }
        string config = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, PeftConfig);
        if (Path.GetFileName(file.Path) != PeftWeights || !File.Exists(config))
        {
            return null;
        }
        return new FileInfo(config).Length <= MostConfigBytes
            ? Parse(config, File.ReadAllText(config), prefix: "")
            : throw new WeightsException(config, $"at most {MostConfigBytes} bytes", $"{new FileInfo(config).Length}");
    }

    public static LoraMetadata Parse(string file, string json, string prefix = Prefix)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new WeightsException(file, "an object as the adapter's config", $"{root.ValueKind}");
            }
            if (Flag(root, prefix + "use_dora"))
            {
                throw new WeightsException(file, "a plain low-rank adapter", "one with DoRA (use_dora in its config), which is not known here");
            }
            return new LoraMetadata(
                Number(file, root, prefix + "r") is { } r ? (int)r : null,
                (float?)Number(file, root, prefix + "lora_alpha"),
                Pattern(file, root, prefix + "rank_pattern"),
                Pattern(file, root, prefix + "alpha_pattern"),
                Flag(root, prefix + "use_rslora"));
        }
        catch (JsonException e)
        {
            throw new WeightsException(file, "JSON as the adapter's config", e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Alpha of a module, in the meaning that the product is multiplied by alpha / rank.</summary>
    public float AlphaOf(string file, string module, int rank)
    {
        double? claimed = Find(_ranks, module) ?? _rank;
        if (claimed is { } c && c != rank)
        {
            throw new WeightsException(file, $"factors of rank {c} for {module}, as the metadata says", $"rank {rank}");
        }
        double alpha = Find(_alphas, module) ?? _alpha ?? rank;
        // Rank-stabilised adapters divide by the root of the rank.
        return (float)(_rankStabilised ? alpha * Math.Sqrt(rank) : alpha);
    }

    /// <summary>The JSON for an adapter: the commonest rank and alpha, and the others by module.</summary>
    public static string Describe(IReadOnlyDictionary<string, LoraFactors> factors)
    {
        (int rank, float alpha) = factors.Values.GroupBy(f => (f.Rank, f.Alpha)).OrderByDescending(g => g.Count()).Select(g => g.Key).FirstOrDefault((1, 1));
        Dictionary<string, object> config = new()
        {
            ["peft_type"] = "LORA",
            ["r"] = rank,
            ["lora_alpha"] = Whole(alpha),
            ["rank_pattern"] = factors.Where(f => f.Value.Rank != rank).ToDictionary(f => f.Key, f => f.Value.Rank),
            ["alpha_pattern"] = factors.Where(f => f.Value.Alpha != alpha).ToDictionary(f => f.Key, f => Whole(f.Value.Alpha)),
            ["target_modules"] = factors.Keys.Order(StringComparer.Ordinal).ToArray(),
            ["bias"] = "none",
            ["lora_bias"] = false,
            ["lora_dropout"] = 0.0,
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
        return JsonSerializer.Serialize(
            config.OrderBy(c => c.Key, StringComparer.Ordinal).ToDictionary(c => Prefix + c.Key, c => c.Value),
            new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Whole numbers are written as such: older readers expect them.</summary>
    private static object Whole(float alpha) => alpha == MathF.Truncate(alpha) && MathF.Abs(alpha) < 1e9f ? (long)alpha : alpha;

    private static double? Find(Dictionary<string, double> pattern, string module) =>
        pattern.Where(p => module == p.Key || module.EndsWith("." + p.Key, StringComparison.Ordinal)).Select(p => (double?)p.Value).FirstOrDefault();

    private static bool Flag(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static double? Number(string file, JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? Positive(file, name, value) : null;

    private static Dictionary<string, double> Pattern(string file, JsonElement root, string name)
    {
        Dictionary<string, double> pattern = [];
        if (root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty entry in value.EnumerateObject())
            {
                // PEFT reads these as regular expressions; what is written in practice are endings of names, some with anchors.
                pattern[entry.Name.TrimStart('^').TrimEnd('$')] = Positive(file, $"{name}.{entry.Name}", entry.Value);
            }
        }
        return pattern;
    }

    private static double Positive(string file, string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) && number is > 0 and < 1e9
            ? number
            : throw new WeightsException(file, $"a positive number as '{name}' in the adapter's config", value.GetRawText()[..Math.Min(40, value.GetRawText().Length)]);
}
