using System.Text.Json;

namespace Dsd.Models.Weights;

/// <summary>
/// The scales of weights that are stored in eight bits, as ComfyUI writes them: <c>X.scale_weight</c> beside <c>X.weight</c> with a tensor
/// <c>scaled_fp8</c> as the mark, or <c>X.weight_scale</c> with <c>X.comfy_quant</c> or metadata as the mark. One number for a weight, or one for
/// each of its rows. Other kinds of quantisation are refused by name.
/// </summary>
internal sealed class WeightScales
{
    private const string Mark = "scaled_fp8";
    private const string Config = ".comfy_quant";
    private const string Metadata = "_quantization_metadata";
    private const int MostConfigBytes = 4096;
    private static readonly string[] Scales = [".scale_weight", ".weight_scale"];

    // How the eight-bit products of other programs scale what goes in. The products here find that out by themselves, so it changes nothing.
    private static readonly string[] InputScales = [".scale_input", ".input_scale"];
    private static readonly string[] Foreign =
    [
        ".weight_scale_inv", ".weight_scale_2", ".weight_scalar", ".pre_quant_scale", ".weight_zero_point", ".qweight", ".weight.absmax",
        ".weight.quant_map",
    ];
    private static readonly string[] Formats = ["float8_e4m3fn", "float8_e5m2"];
    private static readonly string[] ConfigFields = ["format", "full_precision_matrix_mult"];

    private readonly Dictionary<string, float[]> _scales = [];
    private readonly HashSet<string> _names = [];

    private WeightScales()
    {
    }

    /// <summary>The tensors that are scales or marks.</summary>
    public IReadOnlySet<string> Names => _names;

    /// <summary>Finds the scales among the tensors of a source.</summary>
    /// <exception cref="WeightsException">A scale fits no weight, or the weights are quantised in another way.</exception>
    public static WeightScales Of(WeightSource source, IReadOnlyCollection<string> tensors)
    {
        WeightScales found = new();
        if (source.Metadata.TryGetValue(Metadata, out string? metadata))
        {
            CheckMetadata(source.Path, metadata);
        }
        foreach (string name in tensors)
        {
            if (name == Mark || name.EndsWith("." + Mark, StringComparison.Ordinal))
            {
                found._names.Add(name);
            }
            else if (name.EndsWith(Config, StringComparison.Ordinal))
            {
                CheckConfig(source, name);
                found._names.Add(name);
            }
            else if (Weight(name, Scales, source) is { } weight)
            {
                if (!found._scales.TryAdd(weight, Read(source, name, source.Entry(weight))))
                {
                    throw new WeightsException(source.Path, $"one scale for '{weight}'", $"a second one, '{name}'");
                }
                found._names.Add(name);
            }
            else if (Weight(name, InputScales, source) is { } fed && Float8.Is(source.Entry(fed).DType))
            {
                found._names.Add(name);
            }
            else if (Foreign.FirstOrDefault(f => name.EndsWith(f, StringComparison.Ordinal)) is { } ending)
            {
                throw new WeightsException(
                    source.Path, "weights of 16 or 32 bits, or of eight with one scale for a weight or for each row",
                    $"'{name}': a quantisation with {ending[1..]}, which is not read here");
            }
        }
        return found;
    }

    /// <summary>A weight's scale, one number or one for each row; null where it has none.</summary>
    public float[]? Of(string weight) => _scales.GetValueOrDefault(weight);

    /// <summary>Multiplies elements of a weight, from some element on, by its scale.</summary>
    public void Apply(string weight, TensorEntry entry, long first, Span<float> values)
    {
        if (Of(weight) is not { } scale)
        {
            return;
        }
        long width = scale.Length == 1 ? long.MaxValue : Math.Max(1, entry.ElementCount / Math.Max(1, entry.Shape[0]));
        for (int i = 0; i < values.Length; i++)
        {
            values[i] *= scale[(first + i) / width];
        }
    }

    /// <summary>The weight that a tensor with one of these endings belongs to; null where there is none.</summary>
    private static string? Weight(string name, string[] endings, WeightSource source) =>
        endings.FirstOrDefault(e => name.EndsWith(e, StringComparison.Ordinal)) is { } ending
            && $"{name[..^ending.Length]}.weight" is var weight
            && source.Contains(weight)
            ? weight
            : null;

    private static float[] Read(WeightSource source, string name, TensorEntry weight)
    {
        TensorEntry entry = source.Entry(name);
        long rows = weight.Shape.Length > 0 ? weight.Shape[0] : 1;
        bool isWhole = entry.ElementCount == 1;
        bool isRows = entry.ElementCount == rows && entry.Shape.Length > 0 && entry.Shape[0] == rows;
        if (!weight.IsFloating || !entry.IsFloating || Float8.Is(entry.DType) || !(isWhole || isRows))
        {
            throw new WeightsException(
                source.Path, $"'{name}' as one floating-point number, or one for each of the {rows} rows of '{weight.Name}' {weight}", $"{entry}");
        }
        float[] scale = new float[entry.ElementCount];
        source.File(name).ReadFloats(name, 0, scale);
        return Array.TrueForAll(scale, float.IsFinite) ? scale : throw new WeightsException(source.Path, $"finite numbers in '{name}'", "NaN or infinity");
    }

    private static void CheckConfig(WeightSource source, string name)
    {
        TensorEntry entry = source.Entry(name);
        if (entry.DType != "U8" || entry.ByteLength > MostConfigBytes)
        {
            throw new WeightsException(source.Path, $"'{name}' as at most {MostConfigBytes} bytes of JSON", $"{entry}");
        }
        CheckFormat(source.Path, $"'{name}'", () => JsonDocument.Parse(source.Bytes(name).ToArray(), new JsonDocumentOptions { MaxDepth = 8 }), root => [root]);
    }

    private static void CheckMetadata(string file, string metadata) => CheckFormat(
        file,
        $"metadata '{Metadata}'",
        () => JsonDocument.Parse(metadata, new JsonDocumentOptions { MaxDepth = 8 }),
        root => root.ValueKind == JsonValueKind.Object
            && root.TryGetProperty("layers", out JsonElement layers)
            && layers.ValueKind == JsonValueKind.Object ? layers.EnumerateObject().Select(l => l.Value) : []);

    private static void CheckFormat(string file, string place, Func<JsonDocument> parse, Func<JsonElement, IEnumerable<JsonElement>> layers)
    {
        try
        {
            using JsonDocument document = parse();
            foreach (JsonElement layer in layers(document.RootElement))
            {
                bool isKnown = layer.ValueKind == JsonValueKind.Object
                    && layer.TryGetProperty("format", out JsonElement format)
                    && Formats.Contains(format.ToString())
                    && layer.EnumerateObject().All(p => ConfigFields.Contains(p.Name));
                if (!isKnown)
                {
                    string found = layer.GetRawText();
                    throw new WeightsException(
                        file, $"{place} with the format {string.Join(" or ", Formats)} and no other settings",
                        $"{(found.Length > 100 ? found[..100] + "…" : found)}: a quantisation that is not read here");
                }
            }
        }
        catch (JsonException e)
        {
            throw new WeightsException(file, $"{place} as JSON", "text that is none", e);
        }
    }
}
