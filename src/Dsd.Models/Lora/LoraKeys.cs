using Dsd.Models.Flux;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>The keys of an adapter's file by what they are: factors of layers, in diffusers' terms, and whole tensors.</summary>
internal sealed record LoraKeys(IReadOnlyList<LoraKeys.Layer> Layers, IReadOnlyDictionary<string, string> Whole)
{
    // The longer before its own ending.
    private static readonly string[] DottedPrefixes = ["base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer."];
    private static readonly string[] UnderscoredPrefixes = ["lora_unet_", "lora_transformer_"];

    private static readonly (string Suffix, Role Role)[] Suffixes =
    [
        (".lora_A.weight", Role.A), (".lora_B.weight", Role.B),
        (".lora_A.default.weight", Role.A), (".lora_B.default.weight", Role.B),
        (".lora_down.weight", Role.A), (".lora_up.weight", Role.B),
        (".lora.down.weight", Role.A), (".lora.up.weight", Role.B),
        (".alpha", Role.Alpha),
    ];

    // What other kinds of adapters, or other parts of these, call their tensors.
    private static readonly string[] Foreign = ["lora_", ".lora.", "dora_scale", "hada_", "lokr_", "processor"];
    private static readonly string[] ForeignEndings = [".diff", ".diff_b"];

    private enum Role
    {
        A,
        B,
        Alpha,
    }

    /// <summary>Reads the keys of a file.</summary>
    /// <exception cref="WeightsException">Lists the keys that no layout explains, or that lack a partner.</exception>
    public static LoraKeys Read(SafetensorsFile file)
    {
        string[] keys = [.. file.Entries.Keys.Order(StringComparer.Ordinal)];
        string prefix = DottedPrefixes.Concat(UnderscoredPrefixes).FirstOrDefault(p => keys.Any(k => k.StartsWith(p, StringComparison.Ordinal))) ?? "";
        bool underscored = UnderscoredPrefixes.Contains(prefix);
        SortedDictionary<string, Dictionary<Role, string>> found = new(StringComparer.Ordinal); // module in the file → keys
        Dictionary<string, string> whole = [];
        Faults faults = new();
        foreach (string key in keys)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
            {
                faults.Elsewhere.Add(key);
                continue;
            }
            string name = key[prefix.Length..];
            (string suffix, Role role) = Suffixes.FirstOrDefault(s => name.EndsWith(s.Suffix, StringComparison.Ordinal));
            if (suffix is null)
            {
                if (underscored || Foreign.Any(f => name.Contains(f, StringComparison.Ordinal)) || ForeignEndings.Any(f => name.EndsWith(f, StringComparison.Ordinal)))
                {
                    faults.OtherKind.Add(key);
                }
                else
                {
                    whole.Add(name, key);
                }
                continue;
            }
            string module = name[..^suffix.Length];
            if (!found.TryGetValue(module, out Dictionary<Role, string>? roles))
            {
                found.Add(module, roles = []);
            }
            if (!roles.TryAdd(role, key))
            {
                faults.Twice.Add($"{roles[role]} and {key}");
            }
        }
        faults.Alone.AddRange(found.Values.Where(r => !r.ContainsKey(Role.A) || !r.ContainsKey(Role.B)).SelectMany(r => r.Values));

        List<Layer> layers = [];
        foreach ((string module, Dictionary<Role, string> roles) in found)
        {
            FluxParts? parts = underscored ? FluxNames.OfUnderscored(module) : FluxNames.OfPublished(module);
            if (parts is null && underscored)
            {
                faults.Nowhere.Add(prefix + module);
            }
            else if (roles.TryGetValue(Role.A, out string? first) && roles.TryGetValue(Role.B, out string? second))
            {
                layers.Add(new Layer(parts ?? new FluxParts(module, [module]), first, second, roles.GetValueOrDefault(Role.Alpha)));
            }
        }
        faults.ThrowIfAny(file.Path, prefix);
        return found.Count > 0
            ? new LoraKeys(layers, whole)
            : throw new WeightsException(file.Path, "an adapter with tensors that end in .lora_A.weight", $"{keys.Length} tensors, none of them such: {WeightsException.Some(keys)}");
    }

    /// <summary>A layer's keys in the file.</summary>
    /// <param name="Parts">Which layers of diffusers' it is.</param>
    /// <param name="A">The first factor.</param>
    /// <param name="B">The second factor.</param>
    /// <param name="Alpha">Alpha, if the file has it as a tensor.</param>
    public sealed record Layer(FluxParts Parts, string A, string B, string? Alpha);

    /// <summary>All that is wrong with a file's keys, for one message.</summary>
    private sealed class Faults
    {
        public List<string> Elsewhere { get; } = [];

        public List<string> OtherKind { get; } = [];

        public List<string> Twice { get; } = [];

        public List<string> Alone { get; } = [];

        public List<string> Nowhere { get; } = [];

        public void ThrowIfAny(string file, string prefix)
        {
            (List<string> Keys, string Expected, string Found)[] kinds =
            [
                (Elsewhere, $"tensors of the transformer alone, all under '{prefix}'", "others"),
                (OtherKind, $"adapter tensors that end in {string.Join(", ", Suffixes.Select(s => s.Suffix))}", "of another kind of adapter or layout"),
                (Twice, "one tensor for each part of a layer", "doubled"),
                (Alone, "factors A and B for each adapted layer", "tensors without a partner"),
                (Nowhere, "layers of FLUX's transformer", "others"),
            ];
            kinds = [.. kinds.Where(k => k.Keys.Count > 0)];
            if (kinds.Length > 0)
            {
                throw new WeightsException(
                    file, string.Join("; ", kinds.Select(k => k.Expected)), string.Join("; ", kinds.Select(k => $"{k.Keys.Count} {k.Found}: {WeightsException.Some(k.Keys)}")));
            }
        }
    }
}
