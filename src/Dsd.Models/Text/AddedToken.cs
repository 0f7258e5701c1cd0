using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>A text that is one token wherever it stands in a prompt.</summary>
/// <param name="Content">The text.</param>
/// <param name="Id">Its id.</param>
internal sealed record AddedToken(string Content, int Id)
{
    private const int LongestContent = 256;
    private const int LargestId = 10_000_000;

    /// <summary>Whether white space before it is part of it.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Whether white space after it is part of it.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Whether it counts only where no letter, digit or low line touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Whether it is looked for in the normalised text, in its own normalised form.</summary>
    public bool Normalized { get; init; }

    /// <summary>Reads a token written as text, or as an object whose content it is.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="place">Where in the file, for messages.</param>
    /// <param name="value">The text or object.</param>
    /// <param name="id">The token's id, of what it says; null where no file gives one.</param>
    /// <param name="normalized">Whether it is normalised where the object does not say.</param>
    public static AddedToken Parse(string file, string place, JsonElement value, Func<string, int?> id, bool normalized = false)
    {
        string content = ContentOf(value) is { Length: > 0 and <= LongestContent } text
            ? text
            : throw new WeightsException(file, $"{place} as a token of 1 to {LongestContent} characters, or an object with such a 'content'", Short(value));
        if (id(content) is not { } number)
        {
            throw new WeightsException(
                file, $"an id for the token '{content}' ({place}) in the vocabulary or among the added tokens",
                "none. Add it to added_tokens.json with its id, or take it out");
        }
        if (number is < 0 or > LargestId)
        {
            throw new WeightsException(file, $"an id from 0 to {LargestId} for the token '{content}'", $"{number}");
        }
        return new AddedToken(content, number)
        {
            LeftStrip = Flag("lstrip", false),
            RightStrip = Flag("rstrip", false),
            SingleWord = Flag("single_word", false),
            Normalized = Flag("normalized", normalized),
        };

        bool Flag(string name, bool otherwise) =>
            value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out JsonElement flag) ? otherwise
            : flag.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.GetBoolean()
            : throw new WeightsException(file, $"'{name}' of the token '{content}' as true or false", Short(flag));
    }

    /// <summary>A token's text; null where the value is neither text nor an object with one.</summary>
    public static string? ContentOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()
        : value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("content", out JsonElement content)
            && content.ValueKind == JsonValueKind.String ? content.GetString()
        : null;

    /// <summary>A piece of JSON, short enough for a message.</summary>
    public static string Short(JsonElement value)
    {
        string text = value.ValueKind == JsonValueKind.Undefined ? "nothing" : value.GetRawText();
        return text.Length <= 80 ? text : text[..80] + "…";
    }
}
