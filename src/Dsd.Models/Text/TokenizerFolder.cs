using System.Globalization;
using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>A tokenizer's folder: its config, and the files beside it that name tokens.</summary>
internal sealed class TokenizerFolder
{
    private static readonly string[] Lists = ["additional_special_tokens", "extra_special_tokens"];
    private static readonly string[] Named = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

    // Saved by transformers 5 for tokenizers that no class of their own describes; the file tokenizer.json then says all.
    private static readonly string[] AnyClass = ["TokenizersBackend", "PreTrainedTokenizerFast"];

    private readonly string _folder;
    private readonly Dictionary<string, JsonElement> _config;
    private readonly Dictionary<string, JsonElement> _specialMap;

    private TokenizerFolder(string folder)
    {
        _folder = folder;
        (_config, _specialMap) = (Fields(ConfigFile), File.Exists(SpecialMapFile) ? Fields(SpecialMapFile) : []);
    }

    /// <summary>The config's file.</summary>
    public string ConfigFile => At("tokenizer_config.json");

    /// <summary>The file with added tokens and their ids that older versions write.</summary>
    public string AddedFile => At("added_tokens.json");

    private string SpecialMapFile => At("special_tokens_map.json");

    private string JsonFile => At("tokenizer.json");

    /// <summary>Opens a folder whose config names one of the classes.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classes">The classes of the tokenizer.</param>
    /// <exception cref="WeightsException">The config is missing or wrong, is of another class, or asks for what is not done here.</exception>
    public static TokenizerFolder Open(string folder, params string[] classes)
    {
        TokenizerFolder opened = new(folder);
        string name = opened.Text("tokenizer_class") ?? classes[0];
        if (!classes.Contains(name) && !(AnyClass.Contains(name) && File.Exists(opened.JsonFile)))
        {
            throw new WeightsException(opened.ConfigFile, $"tokenizer_class {string.Join(" or ", classes)}", $"'{name}'");
        }
        opened.Allow("padding_side", JsonValueKind.String, "\"right\"");
        opened.Allow("truncation_side", JsonValueKind.String, "\"right\"");
        opened.Allow("split_special_tokens", JsonValueKind.False, "false");
        return opened;
    }

    /// <summary>A file of the folder.</summary>
    public string At(string file) => Path.Combine(_folder, file);

    /// <summary>What the folder's tokenizer.json says; null where there is none.</summary>
    /// <param name="withModel">Whether its model is needed, or its added tokens alone.</param>
    public TokenizerJson? Json(bool withModel) => File.Exists(JsonFile) ? TokenizerJson.Read(JsonFile, withModel) : null;

    /// <summary>Whether the model is to be read from tokenizer.json, since one of the older files is missing.</summary>
    public bool NeedsJson(params string[] older) => File.Exists(JsonFile) && !older.All(file => File.Exists(At(file)));

    /// <summary>The most tokens, at least two, and not more than a default where the file gives no sensible bound.</summary>
    public int MaxLength(int most)
    {
        if (!_config.TryGetValue("model_max_length", out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return most;
        }
        // A tokenizer without a bound writes an astronomic number.
        return value.ValueKind == JsonValueKind.Number && value.GetDouble() is >= 2 and var length
            ? length <= int.MaxValue ? (int)length : most
            : throw new WeightsException(ConfigFile, "model_max_length of at least 2", AddedToken.Short(value));
    }

    /// <summary>A special token by the name of its field, such as <c>eos_token</c>.</summary>
    public string Token(string field, string otherwise) =>
        Special().Where(s => s.Place == field).Select(s => AddedToken.ContentOf(s.Value)).FirstOrDefault() ?? otherwise;

    /// <summary>How many sentinels the config asks for; null where it does not say.</summary>
    public int? ExtraIds
    {
        get
        {
            const int Most = 10_000;
            return !_config.TryGetValue("extra_ids", out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
                : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int count) && count is >= 0 and <= Most ? count
                : throw new WeightsException(ConfigFile, $"extra_ids as a whole number from 0 to {Most}", AddedToken.Short(value));
        }
    }

    /// <summary>The tokens of the config's <c>added_tokens_decoder</c>.</summary>
    public IEnumerable<AddedToken> Decoder()
    {
        if (!_config.TryGetValue("added_tokens_decoder", out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            yield break;
        }
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new WeightsException(ConfigFile, "added_tokens_decoder as an object of tokens by their ids", AddedToken.Short(value));
        }
        foreach (JsonProperty token in value.EnumerateObject())
        {
            int id = int.TryParse(token.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new WeightsException(ConfigFile, "ids as the names in added_tokens_decoder", $"'{token.Name}'");
            yield return AddedToken.Parse(ConfigFile, $"added_tokens_decoder.{id}", token.Value, _ => id, normalized: true);
        }
    }

    /// <summary>The tokens of added_tokens.json. Those that are special by name are looked for as they are, the others in normalised text.</summary>
    public IEnumerable<AddedToken> AddedFileTokens(string[] named)
    {
        if (!File.Exists(AddedFile))
        {
            yield break;
        }
        foreach ((string content, JsonElement value) in Fields(AddedFile))
        {
            if (content.Length == 0 || value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int id))
            {
                throw new WeightsException(AddedFile, "tokens with whole numbers as their ids", $"'{content}': {AddedToken.Short(value)}");
            }
            using JsonDocument text = JsonDocument.Parse(JsonSerializer.Serialize(content));
            yield return AddedToken.Parse(AddedFile, $"'{content}'", text.RootElement, _ => id, normalized: !named.Contains(content));
        }
    }

    /// <summary>The special tokens by name: those of the config, then those that special_tokens_map.json names besides.</summary>
    public IEnumerable<(string File, string Place, JsonElement Value)> Special() =>
        Special(ConfigFile, _config).Concat(Special(SpecialMapFile, _specialMap).Where(s => s.Place.Contains('[') || !IsGiven(_config, s.Place)));

    private static bool IsGiven(Dictionary<string, JsonElement> fields, string name) =>
        fields.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    private static IEnumerable<(string File, string Place, JsonElement Value)> Special(string file, Dictionary<string, JsonElement> fields)
    {
        foreach (string name in Named.Where(n => IsGiven(fields, n)))
        {
            yield return AddedToken.ContentOf(fields[name]) is not null
                ? (file, name, fields[name])
                : throw new WeightsException(file, $"{name} as text, or as an object with a 'content'", AddedToken.Short(fields[name]));
        }
        foreach (string name in Lists.Where(n => IsGiven(fields, n)))
        {
            JsonElement list = fields[name];
            JsonElement[] items = list.ValueKind switch
            {
                JsonValueKind.Array => [.. list.EnumerateArray()],
                // Some versions name extra tokens: image_token and the like.
                JsonValueKind.Object => [.. list.EnumerateObject().Select(p => p.Value)],
                _ => throw new WeightsException(file, $"{name} as a list of tokens", AddedToken.Short(list)),
            };
            for (int i = 0; i < items.Length; i++)
            {
                yield return (file, $"{name}[{i}]", items[i]);
            }
        }
    }

    private static Dictionary<string, JsonElement> Fields(string file)
    {
        using JsonDocument document = Weights.Json.Document(file);
        return document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.Clone(), StringComparer.Ordinal);
    }

    private string? Text(string field) =>
        !IsGiven(_config, field) ? null
        : _config[field].ValueKind == JsonValueKind.String ? _config[field].GetString()
        : throw new WeightsException(ConfigFile, $"{field} as text", AddedToken.Short(_config[field]));

    /// <summary>Refuses a setting that would change the ids and is not done here.</summary>
    private void Allow(string field, JsonValueKind kind, string only)
    {
        if (IsGiven(_config, field) && (_config[field].ValueKind != kind || _config[field].GetRawText() != only))
        {
            throw new WeightsException(ConfigFile, $"{field} {only}, the only one that is done here", AddedToken.Short(_config[field]));
        }
    }
}
