using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>
/// Where an adapter's config stands: in the file's metadata, as diffusers writes it, or in the <c>adapter_config.json</c> that PEFT writes beside the
/// file.
/// </summary>
internal sealed record LoraMetadata
{
    /// <summary>The metadata key that holds the config as JSON.</summary>
    public const string Key = "lora_adapter_metadata";

    private const string TransformerPrefix = "transformer.";
    private const string PeftWeights = "adapter_model.safetensors";
    private const string PeftFile = "adapter_config.json";
    private const int MostConfigBytes = 1 << 20;

    /// <summary>The transformer's; null where there is none.</summary>
    public PeftConfig? Transformer { get; private init; }

    /// <summary>CLIP's; null where there is none.</summary>
    public PeftConfig? Clip { get; private init; }

    /// <summary>The config beside a file of this name, if there is one.</summary>
    public static string? Beside(string path)
    {
        string config = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, PeftFile);
        return Path.GetFileName(path) == PeftWeights && File.Exists(config) ? config : null;
    }

    /// <summary>Reads the config of a file; without one both parts are null.</summary>
    /// <param name="path">The adapter's file.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <param name="isFile">Whether the path is that of a file, which a config may lie beside.</param>
    /// <exception cref="WeightsException">What stands there is no JSON object, or too large a one.</exception>
    public static LoraMetadata Of(string path, IReadOnlyDictionary<string, string> metadata, bool isFile)
    {
        if (metadata.TryGetValue(Key, out string? json))
        {
            return Parse(path, json);
        }
        return isFile && Beside(path) is { } config
            ? Parse(config, Encoding.UTF8.GetString(Json.Text(config, MostConfigBytes).Span), isPefts: true)
            : new LoraMetadata();
    }

    /// <summary>The JSON for an adapter: for each network the commonest rank and alpha, and the others by module.</summary>
    public static string Describe(
        IReadOnlyDictionary<string, LoraFactors> transformer, IReadOnlyDictionary<string, LoraFactors> clip) => JsonSerializer.Serialize(
        Fields(TransformerPrefix, transformer)
            .Concat(clip.Count > 0 ? Fields(LoraTextKeys.ClipPrefix, clip) : [])
            .OrderBy(f => f.Key, StringComparer.Ordinal)
            .ToDictionary(),
        new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static IEnumerable<KeyValuePair<string, object>> Fields(string prefix, IReadOnlyDictionary<string, LoraFactors> factors)
    {
        (int rank, float alpha) = factors.Values.GroupBy(f => (f.Rank, f.Alpha)).OrderByDescending(g => g.Count()).Select(g => g.Key).FirstOrDefault((1, 1));
        Dictionary<string, object> config = new()
        {
            ["peft_type"] = "LORA",
            ["r"] = rank,
            ["lora_alpha"] = Whole(alpha),
            ["rank_pattern"] = factors.Where(f => f.Value.Rank != rank).ToDictionary(f => Alone(f.Key), f => f.Value.Rank),
            ["alpha_pattern"] = factors.Where(f => f.Value.Alpha != alpha).ToDictionary(f => Alone(f.Key), f => Whole(f.Value.Alpha)),
            ["target_modules"] = factors.Keys.Order(StringComparer.Ordinal).ToArray(),
            ["bias"] = "none",
            ["lora_bias"] = false,
            ["lora_dropout"] = 0.0,
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
        return config.Select(c => KeyValuePair.Create(prefix + c.Key, c.Value));
    }

    /// <summary>A pattern for this module and no other whose name ends so, as diffusers writes them.</summary>
    private static string Alone(string module) => "^" + module;

    /// <summary>Whole numbers are written as such: older readers expect them.</summary>
    private static object Whole(float alpha) => alpha == MathF.Truncate(alpha) && MathF.Abs(alpha) < 1e9f ? (long)alpha : alpha;

    private static LoraMetadata Parse(string file, string json, bool isPefts = false)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new WeightsException(file, "an object as the adapter's config", $"{root.ValueKind}");
            }
            // A pipeline's file has a config for each network; an adapter that was saved from a network alone has one without prefix.
            (PeftConfig? transformer, PeftConfig? clip) = (PeftConfig.Of(root, TransformerPrefix), PeftConfig.Of(root, LoraTextKeys.ClipPrefix));
            bool isBare = root.EnumerateObject().All(f => !f.Name.Contains('.', StringComparison.Ordinal));
            if (!isBare && transformer is null && clip is null)
            {
                throw new WeightsException(
                    file,
                    $"fields of '{TransformerPrefix}' in the adapter's config",
                    WeightsException.Some([.. root.EnumerateObject().Select(f => f.Name)]));
            }
            return isBare
                ? new LoraMetadata { Transformer = PeftConfig.Of(root, "", isPefts), Clip = PeftConfig.Of(root, "", isPefts) }
                : new LoraMetadata { Transformer = transformer, Clip = clip };
        }
        catch (JsonException e)
        {
            throw new WeightsException(file, "JSON as the adapter's config", e.Message.TrimEnd('.'), e);
        }
    }
}
