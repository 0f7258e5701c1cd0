using CsCheck;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Models.Tests.Text;

public sealed class T5TokenizerTests : IDisposable
{
    private static readonly string Source = Fixtures.Own("tiny-flux", "tokenizer_2");
    private readonly TemporaryFolder _folder = new();

    public T5TokenizerTests()
    {
        foreach (string file in new[] { "spiece.model", "tokenizer_config.json" })
        {
            File.Copy(Path.Combine(Source, file), _folder.File(file));
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Encode_OfNothingIsTheEndTokenAlone()
    {
        Assert.Equal([1, 0, 0, 0], T5Tokenizer.Load(Source).Encode("", 4, out bool truncated));
        Assert.False(truncated);
    }

    [Fact]
    public void Encode_TellsThatAPromptWasCut()
    {
        long[] ids = T5Tokenizer.Load(Source).Encode("of of of of of", 4, out bool truncated);
        Assert.True(truncated);
        Assert.Equal(1, ids[3]);
    }

    [Theory]
    [InlineData("a   of\tthe\n", "a of the")] // white space
    [InlineData("№", "No")] // the model's own table
    [InlineData("\ufb01 \uff21", "fi A")] // ligatures and full width
    [InlineData("a\u00a8of", "a \u0308of")] // a replacement that begins with a space
    [InlineData("a \u00a8", "a \u0308")]
    [InlineData("a \u3000 of", "a of")] // an ideographic space
    [InlineData(" \u2581of", "of")] // the space's own sign
    public void Encode_TreatsTextsAlike(string one, string other)
    {
        T5Tokenizer tokenizer = T5Tokenizer.Load(Source);
        Assert.Equal(tokenizer.Encode(other, 64), tokenizer.Encode(one, 64));
    }

    [Fact]
    public void Encode_FindsSpecialTokensSpelledOut() =>
        Assert.Equal([1, 1, 0], T5Tokenizer.Load(Source).Encode("</s>", 3));

    [Fact]
    public void Encode_ReturnsForAnyText() =>
        Gen.String.Sample(text => Assert.All(Shared.Encode(text, 64), id => Assert.InRange(id, 0, Shared.VocabularySize - 1)), iter: 500);

    [Fact]
    public void Encode_FindsTheMostLikelyPieces()
    {
        UnigramReference reference = new(Source);
        Gen.Char["abcdefghijklmnopqrstuvwxyz ,.3Nüé–猫"].Array[0, 40].Select(c => new string(c)).Sample(
            text =>
            {
                string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                Assert.Equal(words.SelectMany(w => reference.Encode('▁' + w)).Append(1).Select(i => (long)i), Shared.Encode(text, 128).TakeWhile(i => i != 0));
            },
            iter: 300);
    }

    [Fact]
    public void Encode_TakesALongWordQuickly()
    {
        T5Tokenizer.Load(Source).Encode(new string('o', PromptText.MaxCharacters), 64, out bool truncated);
        Assert.True(truncated);
    }

    [Theory]
    [InlineData("spiece.model")]
    [InlineData("tokenizer_config.json")]
    public void Load_NamesAMissingFile(string file)
    {
        File.Delete(_folder.File(file));
        Assert.Equal(_folder.File(file), Assert.Throws<WeightsException>(() => T5Tokenizer.Load(_folder.Path)).File);
    }

    [Fact]
    public void Load_RefusesAModelOfAnotherFormat()
    {
        File.WriteAllText(_folder.File("spiece.model"), "no protocol buffer");
        Assert.Equal(_folder.File("spiece.model"), Assert.Throws<WeightsException>(() => T5Tokenizer.Load(_folder.Path)).File);
    }

    [Fact]
    public void Load_RefusesATruncatedModel()
    {
        byte[] bytes = File.ReadAllBytes(_folder.File("spiece.model"));
        for (int length = 0; length < bytes.Length; length += 1 + bytes.Length / 60)
        {
            File.WriteAllBytes(_folder.File("spiece.model"), bytes[..length]);
            Assert.Equal(_folder.File("spiece.model"), Assert.Throws<WeightsException>(() => T5Tokenizer.Load(_folder.Path)).File);
        }
    }

    [Fact]
    public void Load_TakesSentinelsFromTheConfig()
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"extra_ids":100}""");
        T5Tokenizer tokenizer = T5Tokenizer.Load(_folder.Path);
        Assert.Equal(Shared.VocabularySize + 100, tokenizer.VocabularySize);
        Assert.Equal(tokenizer.VocabularySize - 1, tokenizer.Encode("<extra_id_0>", 4)[0]);
    }

    private static T5Tokenizer Shared => Lazily.Tokenizer;

    private static class Lazily
    {
        public static T5Tokenizer Tokenizer { get; } = T5Tokenizer.Load(Source);
    }
}
