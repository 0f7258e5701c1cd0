using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Models.Tests.Text;

/// <summary>Tokens that a folder adds, by each of the files that can. Ids are those of Hugging Face's tokenizers library with the same added tokens.</summary>
public sealed class AddedTokensTests : IDisposable
{
    private readonly TemporaryFolder _clip = TemporaryFolder.CopyOf(Fixtures.Own("tiny-flux", "tokenizer"));
    private readonly TemporaryFolder _t5 = TemporaryFolder.CopyOf(Fixtures.Own("tiny-flux", "tokenizer_2"));

    public void Dispose()
    {
        _clip.Dispose();
        _t5.Dispose();
    }

    [Theory]
    [InlineData("a <sks> dog", 672, 320, 674, 637, 673)]
    [InlineData("a <SKS>dog", 672, 320, 674, 637, 673)]
    [InlineData("the RED FOX!", 672, 525, 675, 256, 673)] // normalized: both are looked at in lower case
    [InlineData("the red  fox", 672, 525, 675, 673)]
    [InlineData("Red Foxes", 672, 675, 68, 338, 673)] // no single word is asked for
    [InlineData("x  [M]  y[M]z", 672, 343, 676, 344, 676, 345, 673)] // lstrip, rstrip
    [InlineData(" [M] [M] ", 672, 676, 676, 673)]
    [InlineData("a cat, concat cat's cat", 672, 320, 677, 267, 66, 78, 77, 607, 677, 6, 338, 677, 673)] // single_word
    [InlineData("cat\u0301 x", 672, 607, 136, 479, 343, 673)]
    [InlineData("_cat cat_ cat1 -cat-", 672, 318, 607, 607, 318, 607, 272, 268, 677, 268, 673)]
    [InlineData("<sks>2", 672, 678, 673)] // the longest
    [InlineData("\u00e4_ \u00c4_", 672, 127, 353, 318, 679, 673)] // not normalized: as it is
    [InlineData("<|ENDOFTEXT|>!x", 672, 27, 347, 642, 619, 69, 519, 87, 339, 91, 285, 256, 343, 673)]
    public void Clip_CutsThemOut(string text, params int[] ids)
    {
        Config(_clip, "CLIPTokenizer", """
            "674":{"content":"<sks>","normalized":true},"675":{"content":"Red Fox","normalized":true},
            "676":{"content":"[M]","lstrip":true,"rstrip":true,"normalized":false},
            "677":{"content":"cat","single_word":true,"normalized":true},"678":{"content":"<sks>2","normalized":false},
            "679":{"content":"\u00c4_","normalized":false}
            """);
        ClipTokenizer tokenizer = ClipTokenizer.Load(_clip.Path);
        Assert.Equal(680, tokenizer.VocabularySize);
        Ids(tokenizer, text, ids);
    }

    [Theory]
    [InlineData("a <extra_id_0> b", 5, 119, 22, 1)]
    [InlineData("a<extra_id_0>  b", 5, 119, 22, 1)]
    [InlineData("the Red Fox ran", 15, 120, 97, 75, 1)]
    [InlineData("the No x", 15, 121, 4, 37, 1)] // the token's own text is normalised too
    [InlineData("a cat, concat cat's", 5, 122, 3, 107, 81, 27, 25, 122, 4, 2, 19, 1)]
    public void T5_CutsThemOut(string text, params int[] ids)
    {
        Config(_t5, "T5Tokenizer", """
            "119":{"content":"<extra_id_0>","lstrip":true,"rstrip":true,"normalized":false},"120":{"content":"Red Fox","normalized":true},
            "121":{"content":"\u2116","normalized":true},"122":{"content":"cat","single_word":true,"normalized":false}
            """);
        Ids(T5Tokenizer.Load(_t5.Path), text, ids);
    }

    [Fact]
    public void AddedTokensJson_IsReadWithTheSpecialTokensMap()
    {
        // As transformers 4 has it: those that are special by name are looked for as they are, others in normalised text.
        File.WriteAllText(_clip.File("added_tokens.json"), """{"<Sks>":674,"<One>":675}""");
        File.WriteAllText(
            _clip.File("special_tokens_map.json"),
            """{"additional_special_tokens":["<One>","cat</w>"],"bos_token":{"content":"<|startoftext|>","lstrip":false}}""");
        ClipTokenizer tokenizer = ClipTokenizer.Load(_clip.Path);
        Assert.Equal(676, tokenizer.VocabularySize);
        Ids(tokenizer, "a <SKS> dog", 672, 320, 674, 637, 673);
        Ids(tokenizer, "a <One> dog", 672, 320, 675, 637, 673);
        Assert.DoesNotContain(675, tokenizer.Encode("a <one> dog", 77));
        Ids(tokenizer, "a cat</w>", 672, 320, 607, 673); // a token of the vocabulary that is special besides
    }

    [Fact]
    public void TokenizerJson_AddsTokensBesideTheOlderFiles()
    {
        string file = _clip.File("tokenizer.json");
        File.WriteAllText(file, """{"added_tokens":[{"id":674,"content":"<sks>","normalized":false}]}""");
        Ids(ClipTokenizer.Load(_clip.Path), "a <sks> dog", 672, 320, 674, 637, 673);
        File.WriteAllText(file, """{"added_tokens":[{"id":674,"content":"<sks>","normalized":true}]}""");
        Config(_clip, "CLIPTokenizer", """ "674":{"content":"<sks>","normalized":false} """);
        Assert.DoesNotContain(674, ClipTokenizer.Load(_clip.Path).Encode("a <SKS> dog", 77)); // the config's word counts
    }

    [Fact]
    public void Sentinels_MayBeNamedAlone()
    {
        File.WriteAllText(_t5.File("tokenizer_config.json"), """{"additional_special_tokens":["<extra_id_0>","<extra_id_1>"]}""");
        T5Tokenizer tokenizer = T5Tokenizer.Load(_t5.Path);
        Assert.Equal(121, tokenizer.VocabularySize);
        Ids(tokenizer, "<extra_id_0> <extra_id_1>", 120, 119, 1);
    }

    [Theory]
    [InlineData("added_tokens.json", """{"<sks>":675}""", "id 674 for the next added token, '<sks>', found 675")]
    [InlineData("added_tokens.json", """{"<sks>":5}""", "the vocabulary has another token there")]
    [InlineData("added_tokens.json", """{"cat</w>":674}""", "id 607 for the token 'cat</w>', as the vocabulary has it, found 674")]
    [InlineData("added_tokens.json", """{"<sks>":674,"<sks>":675}""", "<sks>")]
    [InlineData("added_tokens.json", """{"<a>":674,"<b>":674}""", "id 675 for the next added token")]
    [InlineData("added_tokens.json", """{"<sks>":"674"}""", "whole numbers as their ids")]
    [InlineData("added_tokens.json", """["<sks>"]""", "a JSON object")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens":["<sks>"]}""", "an id for the token '<sks>'")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens":"<sks>"}""", "additional_special_tokens as a list")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens":[7]}""", "additional_special_tokens[0] as a token")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"x":{"content":"a"}}}""", "ids as the names in added_tokens_decoder, found 'x'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":[]}""", "added_tokens_decoder as an object")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"674":{"content":"a","lstrip":1}}}""", "'lstrip' of the token 'a' as true or false")]
    [InlineData("tokenizer_config.json", """{"extra_special_tokens":{"image_token":"<image>"}}""", "an id for the token '<image>'")]
    public void Clip_RefusesTokensWithoutAnIdOfTheirOwn(string file, string content, string message)
    {
        File.WriteAllText(_clip.File(file), content);
        WeightsException e = Assert.Throws<WeightsException>(() => ClipTokenizer.Load(_clip.Path));
        Assert.Equal(_clip.File(file), e.File);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_MustAgreeAboutIds()
    {
        File.WriteAllText(_clip.File("added_tokens.json"), """{"<a>":674,"<b>":675}""");
        Config(_clip, "CLIPTokenizer", """ "674":{"content":"<b>"} """);
        WeightsException e = Assert.Throws<WeightsException>(() => ClipTokenizer.Load(_clip.Path));
        Assert.Contains("id 674 for the token '<b>'", e.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer_config.json", e.Message, StringComparison.Ordinal);
    }

    private static void Ids(ITextTokenizer tokenizer, string text, params int[] ids) =>
        Assert.Equal(ids.Select(i => (long)i), tokenizer.Encode(text, ids.Length, out _));

    private static void Config(TemporaryFolder folder, string name, string decoder) =>
        File.WriteAllText(folder.File("tokenizer_config.json"), $$"""{"added_tokens_decoder": { {{decoder}} }, "tokenizer_class": "{{name}}"}""");
}
