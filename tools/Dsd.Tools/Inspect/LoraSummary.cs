using System.Globalization;
using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>The low-rank pairs among a set of tensors.</summary>
internal sealed record LoraSummary
{
    /// <summary>
    /// How the names are formed: <c>peft</c> (diffusers' modules, <c>lora_A</c>, <c>lora_B</c>), <c>black-forest-labs</c> (the modules of their single files, <c>lora_A</c>,
    /// <c>lora_B</c>) or <c>kohya</c> (<c>lora_down</c>, <c>lora_up</c>).
    /// </summary>
    public required string Layout { get; init; }

    /// <summary>How many layers are adapted.</summary>
    public required int Pairs { get; init; }

    /// <summary>The ranks that occur, in order.</summary>
    public required long[] Ranks { get; init; }

    /// <summary>The alphas that the file states, in order, in its metadata or as tensors; none means that alpha equals the rank.</summary>
    public required double[] Alphas { get; init; }

    /// <summary>The one alpha that the file states; null where it states none, or several.</summary>
    public double? Alpha => Alphas.Length == 1 ? Alphas[0] : null;

    /// <summary>The adapted layers by the end of their names, with how many there are of each.</summary>
    public required IReadOnlyDictionary<string, int> Targets { get; init; }

    /// <summary>Tensors that are replaced whole, such as a reference's embedder.</summary>
    public required string[] WholeTensors { get; init; }

    /// <summary>What does not fit together.</summary>
    public required string[] Warnings { get; init; }

    /// <summary>Finds the pairs; null where there are none.</summary>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="metadata">The file's metadata.</param>
    /// <param name="scalar">Reads a tensor of one number.</param>
    public static LoraSummary? Find(IReadOnlyDictionary<string, TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata, Func<string, double> scalar)
    {
        (string Layout, string A, string B) names = tensors.Keys.Any(n => n.EndsWith(".lora_A.weight", StringComparison.Ordinal))
            ? (tensors.Keys.Any(n => n.Contains("double_blocks.", StringComparison.Ordinal) || n.Contains("single_blocks.", StringComparison.Ordinal)) ? "black-forest-labs" : "peft", ".lora_A.weight", ".lora_B.weight")
            : ("kohya", ".lora_down.weight", ".lora_up.weight");
        TensorEntry[] downs = [.. tensors.Values.Where(t => t.Name.EndsWith(names.A, StringComparison.Ordinal))];
        if (downs.Length == 0)
        {
            return null;
        }
        List<string> warnings = [];
        foreach (TensorEntry down in downs)
        {
            string module = down.Name[..^names.A.Length];
            if (!tensors.TryGetValue(module + names.B, out TensorEntry? up))
            {
                warnings.Add($"'{down.Name}' has no '{module + names.B}'");
            }
            else if (down.Shape.Length < 2 || up.Shape.Length < 2 || down.Shape[0] != up.Shape[1])
            {
                warnings.Add($"'{down.Name}' {down} and '{up.Name}' {up} do not multiply");
            }
        }
        foreach (string up in tensors.Keys.Where(n => n.EndsWith(names.B, StringComparison.Ordinal) && !tensors.ContainsKey(n[..^names.B.Length] + names.A)))
        {
            warnings.Add($"'{up}' has no '{up[..^names.B.Length] + names.A}'");
        }
        return new LoraSummary
        {
            Layout = names.Layout,
            Pairs = downs.Length,
            Ranks = [.. downs.Select(d => d.Shape.FirstOrDefault()).Distinct().Order()],
            Alphas = AlphasOf(tensors, metadata, scalar, warnings),
            Targets = new SortedDictionary<string, int>(
                downs.GroupBy(d => Target(d.Name[..^names.A.Length])).ToDictionary(g => g.Key, g => g.Count()), StringComparer.Ordinal),
            WholeTensors = [.. tensors.Keys
                .Where(n => !n.Contains(".lora_", StringComparison.Ordinal) && !n.EndsWith(".alpha", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)],
            Warnings = [.. warnings],
        };
    }

    /// <summary>The part of a layer's name behind its last block number that starts a block: <c>attn.to_out.0</c> of <c>transformer_blocks.3.attn.to_out.0</c>.</summary>
    private static string Target(string module)
    {
        string[] parts = module.Split('.');
        int block = Array.FindIndex(parts, p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        string target = block >= 0 && block < parts.Length - 1 ? string.Join('.', parts[(block + 1)..]) : parts[^1];
        return block > 0 && block < parts.Length - 1 ? $"{parts[block - 1]}.*.{target}" : target;
    }

    private static double[] AlphasOf(
        IReadOnlyDictionary<string, TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata, Func<string, double> scalar, List<string> warnings)
    {
        double[] stated = [.. tensors.Values.Where(t => t.Name.EndsWith(".alpha", StringComparison.Ordinal) && t.ElementCount == 1).Select(t => scalar(t.Name)).Distinct().Order()];
        if (stated.Length > 0 || !metadata.TryGetValue("lora_adapter_metadata", out string? text))
        {
            return stated;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16 });
            return [.. document.RootElement.EnumerateObject()
                .Where(p => p.Name == "lora_alpha" || p.Name.EndsWith(".lora_alpha", StringComparison.Ordinal))
                .Select(p => p.Value.GetDouble())
                .Distinct()
                .Order()];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            warnings.Add($"the metadata 'lora_adapter_metadata' cannot be read ({e.Message.TrimEnd('.')})");
            return [];
        }
    }
}
