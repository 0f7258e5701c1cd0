using System.Text.Json;
using System.Text.RegularExpressions;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>
/// PEFT's config of one low-rank adapter, as <c>adapter_config.json</c> or a file's metadata has it: what it says of ranks and alphas, and every field
/// that changes the
/// computation in a way that is not known here. The fields are those of PEFT 0.21 (docs/decisions/adapters.md has the table).
/// </summary>
internal sealed class PeftConfig
{
    // PEFT's own, where a config does not say. A rank that it does not say is read from the factors.
    private const double DefaultAlpha = 8;

    /// <summary>Fields that change nothing once an adapter is trained, or that only say which layers it has (<see cref="PeftTargets"/>).</summary>
    private static readonly HashSet<string> WithoutEffect =
    [
        "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode", "runtime_config",
        "lora_dropout", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern",
        // It says how a layer of another kind stores its weights; PEFT unsets it for linear layers.
        "fan_in_fan_out",
        // The name of a package, used with megatron_config alone.
        "megatron_core",
        // How a start is made that init_lora_weights asks for.
        "loftq_config", "eva_config", "corda_config", "lora_ga_config",
        // Used with use_qalora alone.
        "qalora_group_size",
        // The transformer shares no weights between layers.
        "ensure_weight_tying",
    ];

    private static readonly HashSet<string> Computed =
        ["peft_type", "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "init_lora_weights", "bias", "modules_to_save"];

    /// <summary>Fields that change the computation as soon as they say anything but none.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["use_dora"] = "DoRA, which also scales the layers' own weights",
        ["lora_bias"] = "biases of the second factors",
        ["use_qalora"] = "QALoRA, which adapts inputs in groups",
        ["use_bdlora"] = "BD-LoRA, whose factors are diagonal in blocks",
        ["layer_replication"] = "layers that stand in the model several times",
        ["megatron_config"] = "layers of Megatron",
        ["trainable_token_indices"] = "trained tokens",
        ["target_parameters"] = "parameters that are adapted outside linear layers",
        ["alora_invocation_tokens"] = "activated LoRA, which works on some tokens alone",
        ["arrow_config"] = "Arrow, which chooses among several adapters",
        ["monteclora_config"] = "MonteCLoRA, which draws at random",
        ["velora_config"] = "VeLoRA, which keeps tensors of its own",
        ["kasa_config"] = "KaSA, which changed the base weights",
    };

    // In each of these, training began by taking the adapter's start away from the base weights. On the weights as they were, the start would be added
    // once more.
    private static readonly string[] StartsThatChangeTheBase = ["pissa", "olora", "corda", "lora_ga", "loftq"];
    private static readonly string[] PlainStarts = ["gaussian", "eva", "orthogonal", "mica"];

    private readonly string _prefix;
    private readonly List<LoraProblem> _problems = [];
    private readonly List<string> _notes = [];
    private readonly List<string> _savedModules = [];
    private readonly double? _rank;
    private readonly double _alpha;
    private readonly bool _isRankStabilised;
    private readonly PeftPatterns _ranks = new();
    private readonly PeftPatterns _alphas = new();
    private readonly string? _bias;
    private readonly PeftTargets? _targets;

    private PeftConfig(JsonElement root, string prefix, bool choosesLayers)
    {
        _prefix = prefix;
        Dictionary<string, JsonElement> fields = [];
        foreach (JsonProperty field in root.EnumerateObject().Where(f => f.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            fields[field.Name[prefix.Length..]] = field.Value; // of two with one name the last counts, as in Python
        }
        CheckType(fields);
        _rank = Number(fields, "r");
        _alpha = Number(fields, "lora_alpha") ?? DefaultAlpha;
        _isRankStabilised = Flag(fields, "use_rslora");
        ReadPattern(fields, "rank_pattern", _ranks);
        ReadPattern(fields, "alpha_pattern", _alphas);
        CheckStart(fields);
        _bias = IsSet(fields, "bias") && Text(fields["bias"]) != "none" ? Text(fields["bias"]) : null;
        ReadSavedModules(fields);
        _targets = choosesLayers ? new PeftTargets(fields.ToDictionary(f => f.Key, f => f.Value.Clone()), _savedModules) : null;
        foreach ((string field, string what) in Refused.Where(r => IsSet(fields, r.Key)))
        {
            _problems.Add(new("a plain low-rank adapter", $"one with {what} ('{prefix}{field}' in its config), which is not known here"));
        }
        bool IsKnown(string field) => WithoutEffect.Contains(field) || Computed.Contains(field) || Refused.ContainsKey(field);
        string[] unknown = [.. fields.Keys.Where(f => !IsKnown(f) && IsSet(fields, f)).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            _notes.Add(
                "Fields of the adapter's config that are not known here were passed over, as PEFT does with those of a later version: "
                    + $"{WeightsException.Some([.. unknown.Select(Short)])}.");
        }
    }

    /// <summary>What in it cannot be computed, or read.</summary>
    public IReadOnlyList<LoraProblem> Problems => _problems;

    /// <summary>What was passed over, in sentences.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The config among a JSON object's fields; null where no field has the prefix.</summary>
    /// <param name="root">The object.</param>
    /// <param name="prefix">What stands before the names of the fields that count.</param>
    /// <param name="choosesLayers">Whether the config decides which layers are adapted, and the file's factors must be of those.</param>
    public static PeftConfig? Of(JsonElement root, string prefix, bool choosesLayers = false) =>
        root.EnumerateObject().Any(f => f.Name.StartsWith(prefix, StringComparison.Ordinal)) ? new PeftConfig(root, prefix, choosesLayers) : null;

    /// <summary>
    /// Alpha of a module, in the meaning that the product is multiplied by alpha / rank. What contradicts the config is added to the problems.
    /// </summary>
    /// <param name="module">The module's name in the file, without what stands before all names.</param>
    /// <param name="rank">The rank that its factors have.</param>
    /// <param name="problems">Where contradictions go.</param>
    public double AlphaOf(string module, int rank, List<LoraProblem> problems)
    {
        try
        {
            if ((_ranks.Find(module) ?? _rank) is { } claimed && claimed != rank)
            {
                problems.Add(new($"factors of rank {claimed} for {module}, as the metadata says", $"rank {rank}"));
            }
            double alpha = _alphas.Find(module) ?? _alpha;
            // Rank-stabilised adapters divide by the root of the rank.
            return _isRankStabilised ? alpha * Math.Sqrt(rank) : alpha;
        }
        catch (RegexMatchTimeoutException e)
        {
            problems.Add(new("patterns in the adapter's config that are quick to match", $"'{Short(e.Pattern)}', which was given up"));
            return rank;
        }
    }

    /// <summary>What a file must hold, by its config, beside its factors, and which factors it must not.</summary>
    /// <param name="modules">The modules that it has factors for.</param>
    /// <param name="whole">The names of the parameters that it holds whole.</param>
    /// <param name="isUnderscored">Whether its names have underscores for dots.</param>
    public IEnumerable<LoraProblem> Missing(IReadOnlyCollection<string> modules, IReadOnlyCollection<string> whole, bool isUnderscored)
    {
        if (_targets?.Of(modules) is { } contradiction)
        {
            yield return contradiction;
        }
        if (isUnderscored && _ranks.Count + _alphas.Count > 0)
        {
            yield return new(
                "names with dots, since the adapter's config has patterns of names",
                "names with underscores, and nothing says which names the patterns mean");
        }
        if (_bias is not null && !whole.Any(w => w.EndsWith(".bias", StringComparison.Ordinal)))
        {
            yield return new($"trained biases, since '{_prefix}bias' in its config is '{Short(_bias)}'", "none in the file");
        }
        bool IsWhole(string module) =>
            whole.Any(w => Module(w) is { } own && (own == module || own.EndsWith("." + module, StringComparison.Ordinal)));
        foreach (string module in _savedModules.Where(m => !IsWhole(m)))
        {
            yield return new($"the module '{Short(module)}' whole, as '{_prefix}modules_to_save' in its config says", "no such tensor");
        }
    }

    private static string? Module(string parameter) => parameter.LastIndexOf('.') is > 0 and var dot ? parameter[..dot] : null;

    private void CheckType(Dictionary<string, JsonElement> fields)
    {
        if (IsSet(fields, "peft_type") && Text(fields["peft_type"]) is var type && type is not "LORA")
        {
            _problems.Add(new("a low-rank adapter, 'LORA'", $"'{Short(type)}' as '{_prefix}peft_type' in its config"));
        }
    }

    private void CheckStart(Dictionary<string, JsonElement> fields)
    {
        const string Field = "init_lora_weights";
        if (!fields.TryGetValue(Field, out JsonElement value) || value.ValueKind is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null)
        {
            return;
        }
        string start = Text(value);
        if (StartsThatChangeTheBase.Any(s => start.StartsWith(s, StringComparison.OrdinalIgnoreCase)))
        {
            _problems.Add(new(
                "an adapter for the base weights as they are",
                $"one whose start changed them ('{_prefix}{Field}' in its config is '{Short(start)}'). "
                    + "Convert it with PEFT: save_pretrained with path_initial_model_for_weight_conversion, "
                    + "or merge it there, where its base model is known"));
        }
        else if (!PlainStarts.Contains(start, StringComparer.OrdinalIgnoreCase))
        {
            _problems.Add(new(
                $"a start of training that is known here, {string.Join(", ", PlainStarts)} or true",
                $"'{Short(start)}' as '{_prefix}{Field}' in its config, which may have changed the base weights"));
        }
    }

    private void ReadSavedModules(Dictionary<string, JsonElement> fields)
    {
        const string Field = "modules_to_save";
        if (!IsSet(fields, Field))
        {
            return;
        }
        JsonElement value = fields[Field];
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(m => m.ValueKind == JsonValueKind.String))
        {
            _savedModules.AddRange(value.EnumerateArray().Select(m => m.GetString()!));
        }
        else
        {
            _problems.Add(new($"a list of names as '{_prefix}{Field}' in the adapter's config", Short(value.GetRawText())));
        }
    }

    private void ReadPattern(Dictionary<string, JsonElement> fields, string field, PeftPatterns patterns)
    {
        if (!IsSet(fields, field))
        {
            return;
        }
        if (fields[field].ValueKind != JsonValueKind.Object)
        {
            _problems.Add(new($"an object as '{_prefix}{field}' in the adapter's config", Short(fields[field].GetRawText())));
            return;
        }
        foreach (JsonProperty entry in fields[field].EnumerateObject())
        {
            try
            {
                patterns.Add(entry.Name, Positive($"{field}.{Short(entry.Name)}", entry.Value) ?? 1);
            }
            catch (FormatException e)
            {
                _problems.Add(new($"regular expressions as names in '{_prefix}{field}' of the adapter's config", $"'{Short(entry.Name)}': {e.Message}"));
            }
        }
    }

    private bool Flag(Dictionary<string, JsonElement> fields, string field)
    {
        if (!fields.TryGetValue(field, out JsonElement value) || value.ValueKind is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null)
        {
            return value.ValueKind == JsonValueKind.True;
        }
        _problems.Add(new($"true or false as '{_prefix}{field}' in the adapter's config", Short(value.GetRawText())));
        return false;
    }

    private double? Number(Dictionary<string, JsonElement> fields, string field) =>
        fields.TryGetValue(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? Positive(field, value) : null;

    private double? Positive(string field, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) && number is > 0 and < 1e9)
        {
            return number;
        }
        _problems.Add(new($"a positive number as '{_prefix}{field}' in the adapter's config", Short(value.GetRawText())));
        return null;
    }

    /// <summary>Whether a field says anything: not null, false, 0, or empty.</summary>
    private static bool IsSet(Dictionary<string, JsonElement> fields, string field) =>
        fields.TryGetValue(field, out JsonElement value) && value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.False or JsonValueKind.Undefined => false,
            JsonValueKind.String => value.GetString()!.Length > 0,
            JsonValueKind.Array => value.GetArrayLength() > 0,
            JsonValueKind.Object => value.EnumerateObject().Any(),
            JsonValueKind.Number => !value.TryGetDouble(out double number) || number != 0,
            _ => true,
        };

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
