using System.Text;
using CsCheck;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Testing;

namespace Dsd.Models.Tests.Text;

public sealed class ClipTokenizerTests : IDisposable
{
    private static readonly string Source = Fixtures.Own("tiny-flux", "tokenizer");
    private readonly TemporaryFolder _folder = new();

    public ClipTokenizerTests()
    {
        foreach (string file in new[] { "vocab.json", "merges.txt", "tokenizer_config.json" })
        {
            File.Copy(Path.Combine(Source, file), _folder.File(file));
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Encode_BeginsAndEndsAndPads()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        long[] ids = tokenizer.Encode("a", 6, out bool truncated);
        Assert.False(truncated);
        Assert.Equal([tokenizer.EndOfText, tokenizer.EndOfText, tokenizer.EndOfText, tokenizer.EndOfText], ids[2..]);
    }

    [Fact]
    public void Encode_TellsThatAPromptWasCut()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        long[] ids = tokenizer.Encode("a a a a a", 5, out bool truncated);
        Assert.True(truncated);
        Assert.Equal(tokenizer.EndOfText, ids[4]);
        Assert.Equal(ids[1], ids[3]);
    }

    [Fact]
    public void Encode_TakesAPromptThatFillsTheLengthWhole()
    {
        ClipTokenizer.Load(Source).Encode("a a a", 5, out bool truncated);
        Assert.False(truncated);
    }

    [Theory]
    [InlineData("A  RED\tFox\n", "a red fox")] // letter case and white space
    [InlineData("cafe\u0301", "caf\u00e9")] // canonical composition
    [InlineData("\u212bngstr\u00f6m", "\u00e5ngstr\u00f6m")] // singleton, then lower case
    [InlineData("\u0130", "i\u0307")] // the lower case that has two characters
    [InlineData("\u1112\u1161\u11ab", "\ud55c")] // Hangul
    [InlineData("a\u00a0b", "a b")] // a space that does not break
    [InlineData("a1b", "a 1 b")] // digits stand alone
    [InlineData("don't", "don 't")] // contractions
    public void Encode_TreatsTextsAlike(string one, string other)
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        Assert.Equal(tokenizer.Encode(other, 77), tokenizer.Encode(one, 77));
    }

    [Fact]
    public void Encode_TakesHalfASurrogatePairForTheReplacementCharacter()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        Assert.Equal(tokenizer.Encode("\ufffd a", 77), tokenizer.Encode((char)0xd800 + " a", 77));
    }

    [Fact]
    public void Encode_TakesLettersBeyondTheBasicPlaneForLetters()
    {
        // Two mathematical letters are one word, so only the last byte of the second is an end of word.
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        Assert.NotEqual(tokenizer.Encode("\U0001d4d0 \U0001d4d0", 77), tokenizer.Encode("\U0001d4d0\U0001d4d0", 77));
        Assert.Equal(Reference.Encode(Source, "\U0001d4d0\U0001d4d0"), tokenizer.Encode("\U0001d4d0\U0001d4d0", 77));
    }

    [Fact]
    public void Encode_FindsSpecialTokensSpelledOut()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        Assert.Equal(tokenizer.EndOfText, tokenizer.Encode("a<|endoftext|>a", 6)[2]);
    }

    [Fact]
    public void Encode_AgreesWithPlainPairMerging() =>
        Gen.String.Sample(
            text => Assert.Equal(Reference.Encode(Source, text.ToLowerInvariant()), ClipTokenizers.Shared.Encode(text.ToLowerInvariant(), 77)),
            iter: 300);

    [Fact]
    public void Encode_TakesALongPromptQuickly()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(Source);
        tokenizer.Encode(new string('a', PromptText.MaxCharacters), 77, out bool truncated);
        Assert.True(truncated);
    }

    [Fact]
    public void Encode_RefusesAPromptBeyondTheBound() =>
        Assert.Contains(
            "100000",
            Assert.Throws<ArgumentException>(() => ClipTokenizer.Load(Source).Encode(new string('a', PromptText.MaxCharacters + 1), 77)).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(1)]
    [InlineData(78)]
    public void Encode_RefusesALengthOutOfRange(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipTokenizer.Load(Source).Encode("a", length));

    [Theory]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    [InlineData("tokenizer_config.json")]
    public void Load_NamesAMissingFile(string file)
    {
        File.Delete(_folder.File(file));
        Assert.Equal(_folder.File(file), Assert.Throws<WeightsException>(() => ClipTokenizer.Load(_folder.Path)).File);
    }

    [Theory]
    [InlineData("vocab.json", "[]", "JSON")]
    [InlineData("vocab.json", """{"a":0,"b":0}""", "each id from 0 to 1 once")]
    [InlineData("vocab.json", """{"a":0,"b":7}""", "each id from 0 to 1 once")]
    [InlineData("vocab.json", """{"a":0,"b":1}""", "none of them it")]
    [InlineData("merges.txt", "#version: 0.2\na", "'a' in line 2")]
    [InlineData("merges.txt", "#version: 0.2\r\ni n\r\nqq zz", "'qq zz' in line 3")]
    [InlineData("merges.txt", "#version: 0.2\ni n\nt h\ni n\n", "'i n' in line 2 and in line 4")]
    [InlineData("merges.txt", "i n\ni  n", "'i  n' in line 2")]
    [InlineData("merges.txt", "", "an empty file")]
    [InlineData("vocab.json", """{"a":0,"a":1}""", "a field twice at '$.a'")]
    [InlineData("vocab.json", """{"a":"b"}""", "another kind than is needed at '$.a' in line 1")]
    [InlineData("vocab.json", """{"a":0""", "in line 1")]
    [InlineData("vocab.json", """{"error":"Entry not found"}""", "the answer of a server")]
    [InlineData("vocab.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer")]
    [InlineData("tokenizer_config.json", """{"padding_side":"left"}""", "padding_side")]
    [InlineData("tokenizer_config.json", """{"split_special_tokens":true}""", "split_special_tokens")]
    [InlineData("tokenizer_config.json", """{"bos_token":5}""", "bos_token as text")]
    [InlineData("tokenizer_config.json", """{"tokenizer_class":"T5Tokenizer"}""", "CLIPTokenizer")]
    [InlineData("tokenizer_config.json", """{"model_max_length":1}""", "at least 2")]
    public void Load_RefusesAFileThatIsWrong(string file, string content, string message)
    {
        File.WriteAllText(_folder.File(file), content);
        WeightsException e = Assert.Throws<WeightsException>(() => ClipTokenizer.Load(_folder.Path));
        Assert.Equal(_folder.File(file), e.File);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("merges.txt", 40)]
    [InlineData("vocab.json", 300)]
    public void Load_NamesTheLineOfTextThatIsNotUtf8(string file, int at)
    {
        byte[] bytes = File.ReadAllBytes(_folder.File(file));
        bytes[at] = 0xe9;
        File.WriteAllBytes(_folder.File(file), bytes);
        WeightsException e = Assert.Throws<WeightsException>(() => ClipTokenizer.Load(_folder.Path));
        Assert.Equal(_folder.File(file), e.File);
        Assert.Contains($"byte 0xe9 in line {1 + bytes[..at].Count(b => b == '\n')}", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    [InlineData("tokenizer_config.json")]
    public void Load_TakesAByteOrderMark(string file)
    {
        string text = File.ReadAllText(_folder.File(file));
        foreach (Encoding encoding in new[] { new UTF8Encoding(true), Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32 })
        {
            File.WriteAllText(_folder.File(file), text, encoding);
            Assert.Equal(ClipTokenizers.Shared.Encode("a red fox", 77), ClipTokenizer.Load(_folder.Path).Encode("a red fox", 77));
        }
    }

    [Fact]
    public void Load_RefusesASpecialTokenOutsideTheVocabulary()
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"bos_token":"<none>"}""");
        Assert.Contains("'<none>'", Assert.Throws<WeightsException>(() => ClipTokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TakesSpecialTokensWrittenAsObjects()
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"bos_token":{"content":"<|endoftext|>","lstrip":false}}""");
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder.Path);
        Assert.Equal(tokenizer.EndOfText, tokenizer.Encode("a", 77)[0]);
    }

    private static class ClipTokenizers
    {
        public static ClipTokenizer Shared { get; } = ClipTokenizer.Load(Source);
    }

    /// <summary>Byte pair encoding as the method is defined: the pair of the lowest rank is merged everywhere, until there is none.</summary>
    private static class Reference
    {
        public static long[] Encode(string folder, string text)
        {
            Dictionary<string, int> vocabulary = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, int>>(
                File.ReadAllText(Path.Combine(folder, "vocab.json")))!;
            Dictionary<string, int> ranks = File.ReadLines(
                Path.Combine(folder, "merges.txt")).Skip(1).Select((line, rank) => (line, rank)).ToDictionary(p => p.line, p => p.rank);
            string normalized = ClipNormalizer.Normalize(PromptText.Checked(text, 2, 2));
            List<int> ids = [];
            foreach ((int offset, int length) in new ClipPreTokenizer().PreTokenize(normalized))
            {
                List<string> symbols = [.. Encoding.UTF8.GetBytes(normalized.Substring(offset, length)).Select(b => $"{ClipBytes.Characters[b]}")];
                symbols[^1] += "</w>";
                while (true)
                {
                    var best = Enumerable.Range(0, symbols.Count - 1).Select(
                        i => $"{symbols[i]} {symbols[i + 1]}").Where(ranks.ContainsKey).OrderBy(p => ranks[p]).FirstOrDefault();
                    if (best is null)
                    {
                        break;
                    }
                    for (int i = 0; i < symbols.Count - 1; i++)
                    {
                        if ($"{symbols[i]} {symbols[i + 1]}" == best)
                        {
                            symbols[i] += symbols[i + 1];
                            symbols.RemoveAt(i + 1);
                        }
                    }
                }
                ids.AddRange(symbols.Select(s => vocabulary[s]));
            }
            return PromptText.Fit(ids, vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"], vocabulary["<|endoftext|>"], 77, out _);
        }
    }
}
