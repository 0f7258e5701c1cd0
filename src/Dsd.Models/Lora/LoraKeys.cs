using Dsd.Models.Flux;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>The keys of an adapter's file by what they are: factors of layers, in diffusers' terms, and whole tensors.</summary>
internal sealed record LoraKeys(IReadOnlyList<LoraKeys.Layer> Layers, IReadOnlyDictionary<string, string> Whole)
{
    private const int Listed = 8;

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
        string[] strange = [.. keys.Where(k => !k.StartsWith(prefix, StringComparison.Ordinal))];
        if (strange.Length > 0)
        {
            throw new WeightsException(file.Path, $"tensors of the transformer alone, all under '{prefix}'", $"{strange.Length} others: {Some(strange)}");
        }

        SortedDictionary<string, Dictionary<Role, string>> found = new(StringComparer.Ordinal); // module in the file → keys
        Dictionary<string, string> whole = [];
        List<string> unknown = [];
        foreach (string key in keys)
        {
            string name = key[prefix.Length..];
            (string suffix, Role role) = Suffixes.FirstOrDefault(s => name.EndsWith(s.Suffix, StringComparison.Ordinal));
            if (suffix is null)
            {
                if (underscored || Foreign.Any(f => name.Contains(f, StringComparison.Ordinal)) || ForeignEndings.Any(f => name.EndsWith(f, StringComparison.Ordinal)))
                {
                    unknown.Add(key);
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
                throw new WeightsException(file.Path, $"one tensor for each part of {module}", $"{roles[role]} and {key}");
            }
        }
        if (unknown.Count > 0)
        {
            throw new WeightsException(file.Path, $"adapter tensors that end in {string.Join(", ", Suffixes.Select(s => s.Suffix))}", $"{unknown.Count} of another kind of adapter or layout: {Some(unknown)}");
        }
        string[] alone = [.. found.Values.Where(r => !r.ContainsKey(Role.A) || !r.ContainsKey(Role.B)).SelectMany(r => r.Values)];
        if (alone.Length > 0)
        {
            throw new WeightsException(file.Path, "factors A and B for each adapted layer", $"{alone.Length} tensors without a partner: {Some(alone)}");
        }
        if (found.Count == 0)
        {
            throw new WeightsException(file.Path, "an adapter with tensors that end in .lora_A.weight", $"{keys.Length} tensors, none of them such: {Some(keys)}");
        }

        List<Layer> layers = [];
        List<string> nowhere = [];
        foreach ((string module, Dictionary<Role, string> roles) in found)
        {
            FluxParts? parts = underscored ? FluxNames.OfUnderscored(module) : FluxNames.OfPublished(module);
            if (parts is null && underscored)
            {
                nowhere.Add(prefix + module);
                continue;
            }
            layers.Add(new Layer(parts ?? new FluxParts(module, [module]), roles[Role.A], roles[Role.B], roles.GetValueOrDefault(Role.Alpha)));
        }
        if (nowhere.Count > 0)
        {
            throw new WeightsException(file.Path, "layers of FLUX's transformer", $"{nowhere.Count} others: {Some(nowhere)}");
        }
        return new LoraKeys(layers, whole);
    }

    private static string Some(IReadOnlyCollection<string> names) => string.Join(", ", names.Take(Listed)) + (names.Count > Listed ? ", …" : "");

    /// <summary>A layer's keys in the file.</summary>
    /// <param name="Parts">Which layers of diffusers' it is.</param>
    /// <param name="A">The first factor.</param>
    /// <param name="B">The second factor.</param>
    /// <param name="Alpha">Alpha, if the file has it as a tensor.</param>
    public sealed record Layer(FluxParts Parts, string A, string B, string? Alpha);
}
