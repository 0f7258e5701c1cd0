using Dsd.Lab.Tokenizers;
using Dsd.Models.Text;
using Dsd.Testing;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Tokenizers;

public sealed class TokenizerFilesTests(TokenizerFilesTests.Made made) : IClassFixture<TokenizerFilesTests.Made>
{
    [Fact]
    public void Write_KeepsTheVocabulariesSmall()
    {
        Assert.InRange(made.ClipEntries, ClipTokenizerFiles.LeastEntries, 1500);
        Assert.InRange(made.T5Pieces, 200, 1200);
    }

    [Fact]
    public void Write_GivesTheSameFilesEveryTime()
    {
        using TemporaryFolder again = new();
        TinyTokenizers.Write(again.Path);

        foreach (string file in (string[])["tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer_2/spiece.model"])
        {
            Assert.Equal(File.ReadAllBytes(made.File(file)), File.ReadAllBytes(again.File(file)));
        }
    }

    [Fact]
    public void T5_EncodesEveryCaptionWordByWord()
    {
        T5Tokenizer tokenizer = T5Tokenizer.Load(made.File("tokenizer_2"));
        foreach (string text in Captions.Corpus(77).Take(1200))
        {
            long[] ids = tokenizer.Encode(text, Captions.MaxTokens, out bool truncated);

            Assert.False(truncated, text);
            Assert.DoesNotContain(2, ids);
            Assert.Equal(Captions.CountTokens(text), ids.TakeWhile(id => id != 0).Count());
        }
    }

    [Fact]
    public void T5_SpellsWordsThatItDoesNotKnow()
    {
        long[] ids = T5Tokenizer.Load(made.File("tokenizer_2")).Encode("a quizzical zebra & 7 foxes?", 64);

        Assert.DoesNotContain(2, ids);
    }

    [Fact]
    public void T5_ReadsUpperCaseAsLowerCase()
    {
        T5Tokenizer tokenizer = T5Tokenizer.Load(made.File("tokenizer_2"));

        Assert.Equal(tokenizer.Encode("a red monster, jumping in the zoo", 64), tokenizer.Encode("A Red MONSTER, jumping in the ZOO", 64));
    }

    [Fact]
    public void Clip_EncodesEveryCaptionWithinItsLength()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(made.File("tokenizer"));
        foreach (string text in Captions.Corpus(78).Take(1200))
        {
            tokenizer.Encode(text, 77, out bool truncated);

            Assert.False(truncated, text);
        }
    }

    [Fact]
    public void Clip_KnowsEveryWordOfTheCaptionsAsOneToken()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(made.File("tokenizer"));

        // Begin, five words, end.
        Assert.Equal(7, tokenizer.Encode("this creature jumping underwater close", 77).TakeWhile(id => id != tokenizer.EndOfText).Count() + 1);
    }

    [Fact]
    public void ClipWrite_StopsAtTheAskedSize()
    {
        using TemporaryFolder small = new();

        Assert.Equal(600, ClipTokenizerFiles.Write(small.Path, Captions.Corpus(1).Take(500), maxEntries: 600));
    }

    [Fact]
    public void ClipWrite_RefusesASizeBelowTheAlphabet() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipTokenizerFiles.Write(made.File("none"), ["a"], maxEntries: 100));

    /// <summary>Both tokenizers, made once for all tests.</summary>
    public sealed class Made : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Made() => (ClipEntries, T5Pieces) = TinyTokenizers.Write(_folder.Path);

        public int ClipEntries { get; }

        public int T5Pieces { get; }

        public string File(string path) => _folder.File(path);

        public void Dispose() => _folder.Dispose();
    }
}
