using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Models.Tests.Text;

/// <summary>
/// Folders as transformers 5 saves them, with tokenizer.json in place of the older files. Ids that stand here as numbers are those of Hugging
/// Face's tokenizers library, run on the same file.
/// </summary>
public sealed class TokenizerJsonTests : IDisposable
{
    private static readonly string Clip = Fixtures.Own("tiny-flux", "tokenizer");
    private static readonly string T5 = Fixtures.Own("tiny-flux", "tokenizer_2");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Clip_GivesTheIdsOfTheOlderFiles()
    {
        ClipTokenizer older = ClipTokenizer.Load(Clip);
        ClipTokenizer json = ClipTokenizer.Load(Alone(Clip));
        Assert.Equal(older.VocabularySize, json.VocabularySize);
        Assert.Equal(older.MaxLength, json.MaxLength);
        Assert.All(Prompts(), p => Assert.Equal(older.Encode(p, 77), json.Encode(p, 77)));
        Gen.String.Sample(text => Assert.Equal(older.Encode(text, 77), json.Encode(text, 77)), iter: 300);
    }

    [Fact]
    public void T5_GivesTheIdsOfTheOlderFiles()
    {
        T5Tokenizer older = T5Tokenizer.Load(T5);
        T5Tokenizer json = T5Tokenizer.Load(Alone(T5));
        Assert.Equal(older.VocabularySize, json.VocabularySize);
        Assert.Equal(older.MaxLength, json.MaxLength);
        Assert.All(Prompts(), p => Assert.Equal(older.Encode(p, 512), json.Encode(p, 512)));
        Gen.String.Sample(text => Assert.Equal(older.Encode(text, 64), json.Encode(text, 64)), iter: 300);
    }

    [Fact]
    public void Clip_ReadsTheFilesOfOlderVersions()
    {
        // Merges as text, and words without the markers: as transformers 4 saved it.
        ClipTokenizer tokenizer = ClipTokenizer.Load(Alone(Clip, json =>
        {
            json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = @"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
            json["model"]!["merges"] = new JsonArray([.. json["model"]!["merges"]!.AsArray().Select(m => (JsonNode)$"{m![0]} {m[1]}")]);
        }));
        Ids(tokenizer, "<|ENDOFTEXT|>!x", 672, 27, 347, 642, 619, 69, 519, 87, 339, 91, 29, 256, 343, 673);
        Ids(tokenizer, "a<|endoftext|>b", 672, 320, 673, 321, 673);
    }

    [Fact]
    public void T5_ReadsTheFilesOfOlderVersions()
    {
        T5Tokenizer tokenizer = T5Tokenizer.Load(Alone(T5, json =>
        {
            json["normalizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["normalizers"] = new JsonArray(
                    json["normalizer"]!.DeepClone(),
                    JsonNode.Parse("""{"type":"Strip","strip_left":false,"strip_right":true}"""),
                    JsonNode.Parse("""{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"}""")),
            };
            json["pre_tokenizer"] = JsonNode.Parse("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""");
        }));
        Ids(tokenizer, "  a  b   c ", 5, 22, 107, 1);
        Ids(tokenizer, "a \u2581b", 5, 22, 1);
        Ids(tokenizer, "a\tb\nc", 5, 22, 107, 1);
        Ids(tokenizer, "q\u6f22\u5b57z", 4, 2, 1);
        Ids(tokenizer, "  ", 1, 0);
    }

    [Theory]
    [InlineData("a \u3000 of", 5, 9, 1)]
    [InlineData("<pad>x<unk>", 0, 4, 37, 2, 1)]
    [InlineData("\uff1c/s\uff1e a", 4, 1, 5, 1)] // becomes an end token after the added tokens were looked for, and is one piece all the same
    public void T5_GivesTheLibrarysIds_FromEitherFile(string text, params int[] ids)
    {
        Ids(T5Tokenizer.Load(Alone(T5)), text, ids);
        Ids(T5Tokenizer.Load(T5), text, ids);
    }

    [Fact]
    public void Folder_WithTheMergesMissing_IsReadFromTheOneFile()
    {
        File.Copy(Path.Combine(Clip, "vocab.json"), _folder.File("vocab.json"));
        Ids(ClipTokenizer.Load(Alone(Clip)), "a red fox", 672, 320, 513, 323, 653, 673);
    }

    [Fact]
    public void Config_MayNameTheClassThatFitsAll()
    {
        string folder = Alone(Clip);
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"tokenizer_class":"TokenizersBackend"}""", new UTF8Encoding(true));
        Ids(ClipTokenizer.Load(folder), "a red fox", 672, 320, 513, 323, 653, 673);
    }

    [Theory]
    [InlineData("model", """{"type":"WordPiece","vocab":{}}""", "a model of type BPE, found \"WordPiece\"")]
    [InlineData("model", "7", "a model of type BPE")]
    [InlineData("model.ignore_merges", "true", "model.ignore_merges false")]
    [InlineData("model.byte_fallback", "true", "model.byte_fallback false")]
    [InlineData("model.end_of_word_suffix", "null", "model.end_of_word_suffix '</w>'")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix none")]
    [InlineData("model.dropout", "0.1", "model.dropout none")]
    [InlineData("model.vocab", "[]", "model.vocab as an object")]
    [InlineData("model.vocab", """{"a":"b"}""", "a whole number as the id of 'a'")]
    [InlineData("model.vocab", """{"a":1}""", "each id from 0 to 0 once")]
    [InlineData("model.merges", """[["i","n"],["i","n"]]""", "'i n' in entry 1 of model.merges and in entry 2 of model.merges")]
    [InlineData("model.merges", """[["i"]]""", "model.merges of two tokens each")]
    [InlineData("model.merges", """["i  n"]""", "'i  n' in entry 1")]
    [InlineData("normalizer", """{"type":"NFKC"}""", "NFKC")]
    [InlineData("normalizer", """{"type":"Replace","pattern":{"Regex":"a|b"},"content":" "}""", "a|b")]
    [InlineData("normalizer", """{}""", "a normalizer with its 'type'")]
    [InlineData("pre_tokenizer", """{"type":"Whitespace"}""", "the pre_tokenizer of CLIP")]
    [InlineData("pre_tokenizer", "null", "the pre_tokenizer of CLIP")]
    [InlineData("post_processor", "null", "a post_processor that makes of a text '<|startoftext|>' (672) the text '<|endoftext|>' (673), found none")]
    [InlineData(
        "post_processor",
        """{"type":"RobertaProcessing","sep":["<|endoftext|>",672],"cls":["<|startoftext|>",672]}""",
        "found '<|startoftext|>' (672) the text '<|endoftext|>' (672)")]
    [InlineData("post_processor", """{"type":"Other"}""", "a post_processor of type TemplateProcessing or RobertaProcessing")]
    [InlineData("padding", """{"direction":"Left","pad_token":"<|endoftext|>"}""", "padding on the right")]
    [InlineData("added_tokens", """[{"content":"a"}]""", "a whole number as 'id'")]
    [InlineData("added_tokens", """[{"id":674,"content":""}]""", "1 to 256 characters")]
    [InlineData("added_tokens", """[{"id":674,"content":"\ud800"}]""", "half of a surrogate pair")]
    public void Clip_RefusesWhatItCannotDo(string place, string content, string message) => Refused(Clip, ClipTokenizer.Load, place, content, message);

    [Theory]
    [InlineData("model.unk_id", "null", "model.unk_id")]
    [InlineData("model.unk_id", "119", "model.unk_id as the id of one of 119 pieces")]
    [InlineData("model.unk_id", "1", "the unknown token '<unk>' (2) as the model's own, found id 1")]
    [InlineData("model.byte_fallback", "true", "model.byte_fallback false")]
    [InlineData("model.vocab", """[["a",0],["a",-1]]""", "piece 1, 'a' of score -1, as piece 0 is")]
    [InlineData("model.vocab", """[["a","b"]]""", "a text and a score as piece 0")]
    [InlineData("model.vocab", """[["a",1e999]]""", "a finite score")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"!"}""", "base 64")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"AAAA"}""", "a table of characters")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}""", "always put in front")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"_"}""", "the pre_tokenizer of T5")]
    [InlineData(
        "post_processor",
        """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{}}""",
        "a post_processor that makes of a text the text '</s>' (1), found the text")]
    public void T5_RefusesWhatItCannotDo(string place, string content, string message) => Refused(T5, T5Tokenizer.Load, place, content, message);

    private static string[] Prompts() => JsonSerializer.Deserialize<string[]>(File.ReadAllText(Fixtures.Own("prompts.json")))!;

    private static void Ids(ITextTokenizer tokenizer, string text, params int[] ids) =>
        Assert.Equal(ids.Select(i => (long)i), tokenizer.Encode(text, ids.Length, out _));

    private void Refused(string source, Func<string, ITextTokenizer> load, string place, string content, string message)
    {
        string folder = Alone(source, json =>
        {
            string[] names = place.Split('.');
            JsonNode parent = names.Length == 1 ? json : json[names[0]]!;
            parent[names[^1]] = JsonNode.Parse(
                content.Contains(@"\u", StringComparison.Ordinal) ? "0" : content.Contains("1e999", StringComparison.Ordinal) ? "[]" : content);
        });
        string file = Path.Combine(folder, "tokenizer.json");
        if (content.Contains(@"\u", StringComparison.Ordinal))
        {
            File.WriteAllText(file, File.ReadAllText(file).Replace($"\"{place}\":0", $"\"{place}\":{content}", StringComparison.Ordinal));
        }
        else if (content.Contains("1e999", StringComparison.Ordinal))
        {
            File.WriteAllText(file, File.ReadAllText(file)
                .Replace("\"vocab\":[]", $"\"vocab\":{content}", StringComparison.Ordinal)
                .Replace("\"unk_id\":2", "\"unk_id\":0", StringComparison.Ordinal));
        }
        else if (place == "model.vocab" && source == T5)
        {
            File.WriteAllText(file, File.ReadAllText(file).Replace("\"unk_id\":2", "\"unk_id\":0", StringComparison.Ordinal));
        }
        WeightsException e = Assert.Throws<WeightsException>(() => load(folder));
        Assert.Equal(file, e.File);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    /// <summary>A folder with tokenizer.json and tokenizer_config.json alone.</summary>
    private string Alone(string source, Action<JsonObject>? change = null)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "tokenizer.json")))!.AsObject();
        change?.Invoke(json);
        File.WriteAllText(_folder.File("tokenizer.json"), json.ToJsonString());
        File.Copy(Path.Combine(source, "tokenizer_config.json"), _folder.File("tokenizer_config.json"), overwrite: true);
        return _folder.Path;
    }
}
