using System.Text.Json;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>
/// A tokenizer.json, the one file that transformers 5 saves: the model with its vocabulary, what is done before and after it, and the added
/// tokens. What cannot be done here is refused by name.
/// </summary>
internal sealed class TokenizerJson
{
    /// <summary>The most bytes of a file with a vocabulary.</summary>
    public const long MaxFileBytes = 64_000_000;

    private const int MostTokens = 1_000_000;
    private readonly JsonElement _model;
    private readonly JsonElement _postProcessor;

    private TokenizerJson(string file, JsonElement root, bool withModel)
    {
        File = file;
        Added = [.. Tokens(file, root)];
        if (withModel)
        {
            _model = Field(root, "model");
            _postProcessor = Field(root, "post_processor");
            Normalizer = Field(root, "normalizer");
            PreTokenizer = Field(root, "pre_tokenizer");
            Padding = Field(root, "padding");
        }
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The added tokens.</summary>
    public IReadOnlyList<AddedToken> Added { get; }

    /// <summary>What is done to a text first.</summary>
    public JsonElement Normalizer { get; }

    /// <summary>How the text is cut into words.</summary>
    public JsonElement PreTokenizer { get; }

    private JsonElement Padding { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="withModel">Whether more than the added tokens is needed.</param>
    public static TokenizerJson Read(string file, bool withModel)
    {
        using JsonDocument document = Json.Document(file, MaxFileBytes);
        return new TokenizerJson(file, document.RootElement, withModel);
    }

    /// <summary>The vocabulary and merges of byte pair encoding with CLIP's ends of words.</summary>
    public (Dictionary<string, int> Vocabulary, string[] Merges) Bpe()
    {
        RequireModel("BPE");
        Require("end_of_word_suffix", v => v.ValueKind == JsonValueKind.String && v.GetString() == ClipTokenizer.WordEnd, $"'{ClipTokenizer.WordEnd}'");
        Require("continuing_subword_prefix", v => IsNone(v) || (v.ValueKind == JsonValueKind.String && v.GetString() == ""), "none");
        Require("dropout", v => IsNone(v) || (v.ValueKind == JsonValueKind.Number && v.GetDouble() == 0), "none");
        Require("ignore_merges", IsOff, "false");
        Require("byte_fallback", IsOff, "false");
        if (!_model.TryGetProperty("vocab", out JsonElement vocabulary) || vocabulary.ValueKind != JsonValueKind.Object)
        {
            throw new WeightsException(File, "model.vocab as an object of tokens and ids", AddedToken.Short(vocabulary));
        }
        Dictionary<string, int> ids = [];
        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            ids.Add(token.Name, token.Value.ValueKind == JsonValueKind.Number && token.Value.TryGetInt32(out int id)
                ? id
                : throw new WeightsException(File, $"a whole number as the id of '{token.Name}' in model.vocab", AddedToken.Short(token.Value)));
            Bound(ids.Count);
        }
        return (ids, [.. List(File, "merges", _model).Select(Merge)]);
    }

    /// <summary>The pieces and scores of a unigram model, and the id of the unknown piece.</summary>
    public (IReadOnlyList<(string Text, float Score)> Pieces, int Unknown) Unigram()
    {
        RequireModel("Unigram");
        Require("byte_fallback", IsOff, "false");
        List<(string, float)> pieces = [];
        foreach (JsonElement piece in List(File, "vocab", _model))
        {
            pieces.Add(
                piece.ValueKind == JsonValueKind.Array && piece.GetArrayLength() == 2 && piece[0].ValueKind == JsonValueKind.String
                    && piece[1].ValueKind == JsonValueKind.Number
                ? (piece[0].GetString()!, piece[1].GetSingle())
                : throw new WeightsException(File, $"a text and a score as piece {pieces.Count} of model.vocab", AddedToken.Short(piece)));
            Bound(pieces.Count);
        }
        return _model.TryGetProperty("unk_id", out JsonElement unknown) && unknown.ValueKind == JsonValueKind.Number && unknown.TryGetInt32(out int id)
            && id >= 0 && id < pieces.Count
            ? (pieces, id)
            : throw new WeightsException(File, $"model.unk_id as the id of one of {pieces.Count} pieces", AddedToken.Short(unknown));
    }

    /// <summary>Refuses a file that puts other tokens around a text, or pads it otherwise, than the model's prompts are.</summary>
    /// <param name="before">The token in front; null for none.</param>
    /// <param name="after">The token behind.</param>
    /// <param name="pad">What fills the rest.</param>
    public void CheckEnds((string Token, int Id)? before, (string Token, int Id) after, string pad)
    {
        List<(string, int)?> around = [.. Around()];
        List<(string, int)?> wanted = before is null ? [null, after] : [before, null, after];
        if (!around.SequenceEqual(wanted))
        {
            throw new WeightsException(File, $"a post_processor that makes of a text {Described(wanted)}", around.Count == 0 ? "none" : Described(around));
        }
        if (Padding.ValueKind == JsonValueKind.Object
            && ((Padding.TryGetProperty("direction", out JsonElement side) && side.ToString() != "Right")
                || (Padding.TryGetProperty("pad_token", out JsonElement token) && token.ToString() != pad)))
        {
            throw new WeightsException(File, $"padding on the right with '{pad}'", AddedToken.Short(Padding));
        }
    }

    /// <summary>The type that a part of the file names.</summary>
    public static string Type(string file, string part, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()!
            : throw new WeightsException(file, $"a {part} with its 'type'", AddedToken.Short(value));

    /// <summary>A list within a part of the file.</summary>
    public static IEnumerable<JsonElement> List(string file, string name, JsonElement value) =>
        value.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : throw new WeightsException(file, $"'{name}' as a list", AddedToken.Short(value));

    /// <summary>A text within a part of the file.</summary>
    public static string Text(string file, string name, JsonElement value) =>
        value.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw new WeightsException(file, $"'{name}' as text", AddedToken.Short(value));

    /// <summary>A switch within a part of the file.</summary>
    public static bool Flag(string file, string name, JsonElement value, bool otherwise) =>
        !value.TryGetProperty(name, out JsonElement flag) || flag.ValueKind == JsonValueKind.Null ? otherwise
        : flag.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.GetBoolean()
        : throw new WeightsException(file, $"'{name}' as true or false", AddedToken.Short(value));

    /// <summary>The pattern of a step that replaces or splits: 'String' or 'Regex', and what it is.</summary>
    public static (string Kind, string Pattern) Pattern(string file, JsonElement step) =>
        step.TryGetProperty("pattern", out JsonElement pattern) && pattern.ValueKind == JsonValueKind.Object
            && pattern.EnumerateObject().FirstOrDefault() is { Value.ValueKind: JsonValueKind.String } first
            ? (first.Name, first.Value.GetString()!)
            : throw new WeightsException(file, "'pattern' as a String or a Regex", AddedToken.Short(step));

    /// <summary>The exception for a part that cannot be done here.</summary>
    public static WeightsException Unknown(string file, string expected, JsonElement found) =>
        new(file, $"{expected}, which is all that is done here", $"{AddedToken.Short(found)}. Save the tokenizer as CLIP's or T5's");

    private static JsonElement Field(JsonElement root, string name) => root.TryGetProperty(name, out JsonElement value) ? value.Clone() : default;

    private static bool IsNone(JsonElement value) => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    private static bool IsOff(JsonElement value) => IsNone(value) || value.ValueKind == JsonValueKind.False;

    private static IEnumerable<AddedToken> Tokens(string file, JsonElement root)
    {
        if (!root.TryGetProperty("added_tokens", out JsonElement tokens) || tokens.ValueKind == JsonValueKind.Null)
        {
            yield break;
        }
        foreach (JsonElement token in List(file, "added_tokens", root))
        {
            int id = token.ValueKind == JsonValueKind.Object && token.TryGetProperty("id", out JsonElement value)
                && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
                ? number
                : throw new WeightsException(file, "added_tokens with a whole number as 'id'", AddedToken.Short(token));
            yield return AddedToken.Parse(file, $"added_tokens, id {id}", token, _ => id, normalized: true);
        }
    }

    private static string Described(IEnumerable<(string Token, int Id)?> around) =>
        string.Join(" ", around.Select(a => a is { } token ? $"'{token.Token}' ({token.Id})" : "the text"));

    private string Merge(JsonElement merge) =>
        merge.ValueKind == JsonValueKind.String ? merge.GetString()!
        : merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2 && merge.EnumerateArray().All(m => m.ValueKind == JsonValueKind.String)
            ? $"{merge[0].GetString()} {merge[1].GetString()}"
        : throw new WeightsException(File, "model.merges of two tokens each", AddedToken.Short(merge));

    private void RequireModel(string type)
    {
        JsonElement found = _model.ValueKind == JsonValueKind.Object && _model.TryGetProperty("type", out JsonElement named) ? named : default;
        if (found.ToString() != type)
        {
            throw new WeightsException(File, $"a model of type {type}", IsNone(found) ? "none" : AddedToken.Short(found));
        }
    }

    private void Require(string name, Func<JsonElement, bool> holds, string only)
    {
        JsonElement value = _model.TryGetProperty(name, out JsonElement found) ? found : default;
        if (!holds(value))
        {
            throw new WeightsException(File, $"model.{name} {only}, which is all that is done here", AddedToken.Short(value));
        }
    }

    private void Bound(int count)
    {
        if (count > MostTokens)
        {
            throw new WeightsException(File, $"at most {MostTokens} tokens in model.vocab", "more");
        }
    }

    /// <summary>The tokens that are put around a text, null standing for the text; nothing where there is no such step.</summary>
    private IEnumerable<(string Token, int Id)?> Around()
    {
        if (IsNone(_postProcessor))
        {
            return [];
        }
        switch (Type(File, "post_processor", _postProcessor))
        {
            case "RobertaProcessing" or "BertProcessing":
                return [Pair("cls"), null, Pair("sep")];
            case "TemplateProcessing":
                return List(File, "single", _postProcessor).Select(Piece).ToArray();
            default:
                throw Unknown(File, "a post_processor of type TemplateProcessing or RobertaProcessing", _postProcessor);
        }
    }

    private (string Token, int Id) Pair(string name) =>
        _postProcessor.TryGetProperty(name, out JsonElement pair) && pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
            && pair[0].ValueKind == JsonValueKind.String && pair[1].ValueKind == JsonValueKind.Number && pair[1].TryGetInt32(out int id)
            ? (pair[0].GetString()!, id)
            : throw new WeightsException(File, $"'{name}' of the post_processor as a token and its id", AddedToken.Short(_postProcessor));

    private (string Token, int Id)? Piece(JsonElement piece)
    {
        if (piece.ValueKind == JsonValueKind.Object && piece.TryGetProperty("Sequence", out _))
        {
            return null;
        }
        if (piece.ValueKind == JsonValueKind.Object && piece.TryGetProperty("SpecialToken", out JsonElement special))
        {
            string name = Text(File, "id", special);
            if (_postProcessor.TryGetProperty("special_tokens", out JsonElement tokens)
                && tokens.ValueKind == JsonValueKind.Object
                && tokens.TryGetProperty(name, out JsonElement token)
                && List(File, "ids", token).ToArray() is [{ ValueKind: JsonValueKind.Number } id] && id.TryGetInt32(out int number))
            {
                return (name, number);
            }
        }
        throw Unknown(File, "a template of the text and of special tokens with one id each", piece);
    }
}
