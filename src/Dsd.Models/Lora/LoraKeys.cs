using System.Text.RegularExpressions;
using Dsd.Models.Families;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>
/// The keys of an adapter's file by what they are: factors of layers, in this library's terms, and whole tensors. Nothing is read but the keys.
/// </summary>
internal sealed partial record LoraKeys
{
    // The longer before its own ending.
    private static readonly string[] DottedPrefixes = ["base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer."];
    private static readonly string[] UnderscoredPrefixes = ["lora_unet_", "lora_transformer_"];

    private const string Suffixes = ".lora_A.weight, .lora_B.weight, .lora_A.default.weight, .lora_B.default.weight, "
        + ".lora_down.weight, .lora_up.weight, .lora.down.weight, "
        + ".lora.up.weight, .lora_linear_layer.down.weight, .lora_linear_layer.up.weight, .alpha";

    // What other kinds of adapters, or other parts of these, call their tensors.
    private static readonly string[] Foreign = ["lora_", ".lora.", "dora_scale", "hada_", "lokr_", "processor", "bundle_emb."];
    private static readonly string[] ForeignEndings = [".diff", ".diff_b"];

    private enum Role
    {
        A,
        B,
        Alpha,
    }

    /// <summary>What stands before the transformer's names.</summary>
    public required string Prefix { get; init; }

    /// <summary>Whether names have underscores for dots, as kohya's scripts write them.</summary>
    public required bool IsUnderscored { get; init; }

    /// <summary>The transformer's adapted layers.</summary>
    public required IReadOnlyList<Layer> Layers { get; init; }

    /// <summary>Whole tensors of the transformer: parameter names and their keys.</summary>
    public required IReadOnlyDictionary<string, string> Whole { get; init; }

    /// <summary>The adapted layers of CLIP's text encoder.</summary>
    public required IReadOnlyList<Layer> ClipLayers { get; init; }

    /// <summary>All keys that are for CLIP's text encoder.</summary>
    public required IReadOnlyList<string> Clip { get; init; }

    /// <summary>All keys that are for other text encoders.</summary>
    public required IReadOnlyList<string> T5 { get; init; }

    /// <summary>What is wrong with the transformer's keys.</summary>
    public required IReadOnlyList<LoraProblem> Problems { get; init; }

    /// <summary>What is wrong with CLIP's keys.</summary>
    public required IReadOnlyList<LoraProblem> ClipProblems { get; init; }

    /// <summary>Whether a key is one that adapters of any kind have.</summary>
    public static bool IsOfAdapter(string key) =>
        Suffix().IsMatch(key)
        || key.Contains("lora", StringComparison.Ordinal)
        || key.Contains("hada_", StringComparison.Ordinal)
        || key.Contains("lokr_", StringComparison.Ordinal)
        || key.EndsWith(".dora_scale", StringComparison.Ordinal);

    /// <summary>Sorts the keys of a file.</summary>
    public static LoraKeys Read(IEnumerable<string> all)
    {
        string[] keys = [.. all.Order(StringComparer.Ordinal)];
        string prefix = DottedPrefixes.Concat(UnderscoredPrefixes).FirstOrDefault(p => keys.Any(k => k.StartsWith(p, StringComparison.Ordinal))) ?? "";
        bool underscored = UnderscoredPrefixes.Contains(prefix);
        Group transformer = new();
        Group clip = new();
        List<string> t5 = [];
        List<string> ofClip = [];
        foreach (string key in keys)
        {
            if (LoraTextKeys.Of(key, prefix) is { } text)
            {
                (text.IsClip ? ofClip : t5).Add(key);
                if (text.IsClip)
                {
                    clip.Add(key, text.Name, wholeAllowed: false);
                }
            }
            else if (key.StartsWith(prefix, StringComparison.Ordinal))
            {
                transformer.Add(key, key[prefix.Length..], wholeAllowed: !underscored);
            }
            else
            {
                transformer.Elsewhere.Add(key);
            }
        }
        List<Layer> layers = transformer.Layers(module => Parts(module, underscored));
        List<Layer> clipLayers = clip.Layers(module => LoraTextKeys.ClipLayer(module) is { } name ? new LayerParts(module, [name]) : null);
        return new LoraKeys
        {
            Prefix = prefix,
            IsUnderscored = underscored,
            Layers = layers,
            Whole = transformer.Whole,
            ClipLayers = clipLayers,
            Clip = ofClip,
            T5 = t5,
            Problems = transformer.Problems($"tensors of the transformer alone, all under '{prefix}'", "layers of a transformer that is known"),
            ClipProblems = clip.Problems("", "linear layers of CLIP's text encoder"),
        };
    }

    private static LayerParts? Parts(string module, bool underscored) =>
        underscored ? ModelFamilies.OfUnderscored(module) : ModelFamilies.OfPublished(module) ?? new LayerParts(module, [module]);

    // The adapter's own name, 'default' for the most part, stands in keys that were not written by PEFT itself.
    [GeneratedRegex(@"^(.+?)\.(?:lora_([AB])(?:\.([^.]+))?\.weight|(?:lora_|lora\.|lora_linear_layer\.)(down|up)\.weight|(alpha))\z")]
    private static partial Regex Suffix();

    /// <summary>A layer's keys in the file.</summary>
    /// <param name="Module">Its name in the file, without what stands before all names.</param>
    /// <param name="Parts">Which layers of this library it is.</param>
    /// <param name="A">The first factor.</param>
    /// <param name="B">The second factor.</param>
    /// <param name="Alpha">Alpha, if the file has it as a tensor.</param>
    public sealed record Layer(string Module, LayerParts Parts, string A, string B, string? Alpha);

    /// <summary>The keys of one network, with all that is wrong with them.</summary>
    private sealed class Group
    {
        private readonly SortedDictionary<string, Dictionary<Role, string>> _found = new(StringComparer.Ordinal); // module in the file → keys
        private readonly SortedSet<string> _adapters = new(StringComparer.Ordinal);
        private readonly List<string> _otherKind = [];
        private readonly List<string> _twice = [];
        private readonly List<string> _nowhere = [];

        public List<string> Elsewhere { get; } = [];

        public Dictionary<string, string> Whole { get; } = [];

        public void Add(string key, string name, bool wholeAllowed)
        {
            Match suffix = Suffix().Match(name);
            if (!suffix.Success)
            {
                bool foreign = !wholeAllowed
                    || Foreign.Any(f => name.Contains(f, StringComparison.Ordinal))
                    || ForeignEndings.Any(f => name.EndsWith(f, StringComparison.Ordinal));
                // PEFT calls the parameters beneath a wrapped layer by a longer name.
                if (foreign || !Whole.TryAdd(name.Replace(".base_layer.", ".", StringComparison.Ordinal), key))
                {
                    _otherKind.Add(key);
                }
                return;
            }
            Role role = suffix.Groups[5].Success ? Role.Alpha : suffix.Groups[2].Value == "A" || suffix.Groups[4].Value == "down" ? Role.A : Role.B;
            if (role != Role.Alpha)
            {
                _adapters.Add(suffix.Groups[3].Value);
            }
            string module = suffix.Groups[1].Value;
            if (!_found.TryGetValue(module, out Dictionary<Role, string>? roles))
            {
                _found.Add(module, roles = []);
            }
            if (!roles.TryAdd(role, key))
            {
                _twice.Add($"{roles[role]} and {key}");
            }
        }

        public List<Layer> Layers(Func<string, LayerParts?> partsOf)
        {
            List<Layer> layers = [];
            foreach ((string module, Dictionary<Role, string> roles) in _found)
            {
                LayerParts? parts = partsOf(module);
                if (parts is null)
                {
                    _nowhere.Add(roles.Values.First());
                }
                else if (roles.TryGetValue(Role.A, out string? first) && roles.TryGetValue(Role.B, out string? second))
                {
                    layers.Add(new Layer(module, parts, first, second, roles.GetValueOrDefault(Role.Alpha)));
                }
            }
            return layers;
        }

        public List<LoraProblem> Problems(string elsewhere, string nowhere)
        {
            string[] alone = [.. _found.Values.Where(r => !r.ContainsKey(Role.A) || !r.ContainsKey(Role.B)).SelectMany(r => r.Values)];
            (IReadOnlyCollection<string> Keys, string Expected, string Found)[] kinds =
            [
                (Elsewhere, elsewhere, "others"),
                (_otherKind, $"adapter tensors that end in {Suffixes}", "of another kind of adapter or layout"),
                (_twice, "one tensor for each part of a layer", "doubled"),
                (_adapters.Count > 1 ? [.. _adapters.Select(a => a.Length == 0 ? "one without a name" : $"'{a}'")] : [], "one adapter in the file", "adapters"),
                (alone, "factors A and B for each adapted layer", "tensors without a partner"),
                (_nowhere, nowhere, "others"),
            ];
            return
            [
                .. kinds.Where(k => k.Keys.Count > 0)
                    .Select(k => new LoraProblem(k.Expected, $"{k.Keys.Count} {k.Found}: {WeightsException.Some(k.Keys)}")),
            ];
        }
    }
}
