using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>The fields of <c>tokenizer_config.json</c> that change what is encoded.</summary>
internal sealed record TokenizerConfig
{
    public JsonElement BosToken { get; init; }

    public JsonElement EosToken { get; init; }

    public JsonElement PadToken { get; init; }

    public JsonElement UnkToken { get; init; }

    public string? TokenizerClass { get; init; }

    /// <summary>A tokenizer without a bound writes an astronomic number.</summary>
    public double? ModelMaxLength { get; init; }

    public int? ExtraIds { get; init; }

    public static TokenizerConfig Read(string folder, params string[] classes)
    {
        string file = Path.Combine(folder, "tokenizer_config.json");
        TokenizerConfig config = Json.Read<TokenizerConfig>(file);
        if (config.TokenizerClass is { } name && !classes.Contains(name))
        {
            throw new WeightsException(file, $"tokenizer_class {string.Join(" or ", classes)}", $"'{name}'");
        }
        return config;
    }

    /// <summary>The most tokens, at least two, and not more than a default where the file gives no sensible bound.</summary>
    public int MaxLength(string folder, int most) => ModelMaxLength switch
    {
        null => most,
        >= 2 and <= int.MaxValue and var length => (int)length,
        > int.MaxValue => most,
        _ => throw new WeightsException(Path.Combine(folder, "tokenizer_config.json"), "model_max_length of at least 2", $"{ModelMaxLength}"),
    };

    /// <summary>A token is written as plain text, or as an object whose content it is.</summary>
    public static string Token(JsonElement token, string otherwise) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetString()!,
        JsonValueKind.Object when token.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String => content.GetString()!,
        _ => otherwise,
    };
}
