using System.Text.Json;
using Dsd.Curation.Judging;

namespace Dsd.Curation.Tests.Judging;

public class VerdictFormatTests
{
    public const string Good = """
        {"subject":"a fox","description_a":"orange, green scarf","description_b":"orange, no scarf",
        "differences":["the scarf is green in A and missing in B"],"same":false,"confidence":0.9,"flags":["text"]}
        """;

    [Fact]
    public void Parse_ReadsEveryField()
    {
        Verdict verdict = VerdictFormat.Parse(Good);
        Assert.Equal("a fox", verdict.Subject);
        Assert.Equal("orange, green scarf", verdict.DescriptionA);
        Assert.Equal("orange, no scarf", verdict.DescriptionB);
        Assert.Equal(["the scarf is green in A and missing in B"], verdict.Differences);
        Assert.False(verdict.Same);
        Assert.Equal(0.9, verdict.Confidence);
        Assert.Equal(["text"], verdict.Flags);
    }

    [Theory]
    [InlineData("```json\n{0}\n```")]
    [InlineData("```\n{0}\n```")]
    [InlineData("\n ```JSON {0}``` \n")]
    [InlineData("  {0}\r\n")]
    public void Parse_ToleratesACodeFence(string form) => Assert.Equal("a fox", VerdictFormat.Parse(form.Replace("{0}", Good)).Subject);

    [Theory]
    [InlineData("s")]
    [InlineData("é")]
    [InlineData("狐")]
    [InlineData("🦊")]
    [InlineData("\"")]
    [InlineData("\u0001")]
    public void FromJson_ReadsTheLongestVerdictsThatToJsonWrites(string sign)
    {
        string Long(int length) => string.Concat(Enumerable.Repeat(sign, length));
        Verdict verdict = new()
        {
            Subject = Long(500),
            DescriptionA = Long(4000),
            DescriptionB = Long(4000),
            Differences = [.. Enumerable.Repeat(Long(500), 32)],
            Same = false,
            Confidence = 1.0 / 3,
            Flags = [.. Enumerable.Repeat(Long(64), 16)],
        };

        Verdict read = Verdict.FromJson(verdict.ToJson());

        Assert.Equal(verdict.ToJson(), read.ToJson());
        Assert.Equal(verdict.DescriptionB, read.DescriptionB);
    }

    [Fact]
    public void Parse_ReadsWhatToJsonWrites() =>
        Assert.Equal(VerdictFormat.Parse(Good).ToJson(), VerdictFormat.Parse(VerdictFormat.Parse(Good).ToJson()).ToJson());

    [Fact]
    public void ToJson_KeepsTheOrderOfReasoning()
    {
        string[] names = [.. JsonDocument.Parse(VerdictFormat.Parse(Good).ToJson()).RootElement.EnumerateObject().Select(p => p.Name)];
        Assert.Equal(["subject", "description_a", "description_b", "differences", "same", "confidence", "flags"], names);
    }

    [Fact]
    public void Schema_RequiresWhatToJsonWrites()
    {
        string[] required = [.. VerdictFormat.Schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()!)];
        Assert.Equal(required, JsonDocument.Parse(VerdictFormat.Parse(Good).ToJson()).RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(required, VerdictFormat.Schema.GetProperty("properties").EnumerateObject().Select(p => p.Name));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("``````")]
    [InlineData("yes")]
    [InlineData("true")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    public void Parse_RefusesWhatIsNoObjectOfTheForm(string? answer) => Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(answer));

    [Fact]
    public void Parse_RefusesEveryTruncation() =>
        Assert.All(Enumerable.Range(0, Good.Trim().Length), length => Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(Good.Trim()[..length])));

    [Theory]
    [InlineData("Here is my verdict: {0}")]
    [InlineData("{0} I hope this helps.")]
    [InlineData("{0}{0}")]
    [InlineData("<think>A is a fox</think>{0}")]
    public void Parse_RefusesTextAroundTheObject(string form) =>
        Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(form.Replace("{0}", Good.Trim())));

    [Theory]
    [InlineData("\"a fox\"", "7", "subject")]
    [InlineData("\"a fox\"", "\"\"", "subject")]
    [InlineData("\"a fox\"", "null", "subject")]
    [InlineData("\"a fox\"", "\"\\ud800\"", "subject")]
    [InlineData("\"orange, no scarf\"", "[\"orange\"]", "description_b")]
    [InlineData("[\"text\"]", "\"text\"", "flags")]
    [InlineData("[\"text\"]", "[1]", "flags[0]")]
    [InlineData("[\"text\"]", "[[\"text\"]]", "flags[0]")]
    [InlineData("false", "\"false\"", "same")]
    [InlineData("false", "0", "same")]
    [InlineData("false", "null", "same")]
    [InlineData("0.9", "\"0.9\"", "confidence")]
    [InlineData("0.9", "\"NaN\"", "confidence")]
    [InlineData("0.9", "-0.1", "confidence")]
    [InlineData("0.9", "90", "confidence")]
    [InlineData("0.9", "1e999", "confidence")]
    [InlineData("0.9", "null", "confidence")]
    public void Parse_NamesTheFieldOfTheWrongType(string from, string to, string field) =>
        Assert.Contains(field, Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(Good.Replace(from, to))).Message);

    [Theory]
    [InlineData("0.9", "NaN")]
    [InlineData("0.9", "Infinity")]
    [InlineData("0.9", "0.9,\"confidence\":1")]
    [InlineData("0.9", "0.9,\"kept\":true")]
    [InlineData("[\"text\"]", "[\"text\",]")]
    [InlineData("\"same\"", "\"Same\"")]
    [InlineData("[\"text\"]", "[[[[[[[[[[[[\"text\"]]]]]]]]]]]]")]
    public void Parse_RefusesJsonThatIsNotExactlyTheForm(string from, string to) =>
        Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(Good.Replace(from, to)));

    [Fact]
    public void Parse_RefusesAHugeAnswerBeforeReadingIt() =>
        Assert.Contains("32768", Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(new string('[', 10_000_000))).Message);

    [Theory]
    [InlineData("f", 500, true)]
    [InlineData("f", 501, false)]
    [InlineData("🦊", 500, true)]
    [InlineData("🦊", 501, false)]
    [InlineData("é", 501, false)]
    public void Parse_CountsCodePointsAsJsonSchemasDo(string sign, int count, bool isRead)
    {
        // 'The length of a string instance is defined as the number of its characters as defined by RFC 8259' (JSON Schema 2020-12, 6.3): code points.
        string answer = Good.Replace("a fox", string.Concat(Enumerable.Repeat(sign, count)));

        if (isRead)
        {
            Assert.Equal(count * sign.Length, VerdictFormat.Parse(answer).Subject.Length);
        }
        else
        {
            Assert.Contains($"found {count}", Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(answer)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Parse_CountsTheWholeAnswerInCodePointsToo()
    {
        string list = string.Join(',', Enumerable.Repeat($"\"{string.Concat(Enumerable.Repeat("🦊", 500))}\"", 32));
        string answer = Good.Replace("\"the scarf is green in A and missing in B\"", list).Replace(
            "orange, no scarf", string.Concat(Enumerable.Repeat("🦊", 4000)));

        Assert.True(answer.Length > VerdictFormat.MaxAnswerLength);
        Assert.Equal(32, VerdictFormat.Parse(answer).Differences.Count);
    }

    [Theory]
    [InlineData("a fox", "\\ud83e")]
    [InlineData("a fox", "HALF")]
    [InlineData("\"same\"", "\"\\ud83e\"")]
    [InlineData("\"same\"", "\"HALF\"")]
    [InlineData("{\"subject\"", "HALF{\"subject\"")]
    public void Parse_RefusesHalfASurrogatePairWhereverItStands(string from, string to)
    {
        // An attribute cannot hold the character itself.
        string message = Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(Good.Replace(from, to).Replace("HALF", "\ud83e"))).Message;

        Assert.Contains("half a surrogate pair", message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, c => char.IsSurrogate(c));
    }

    [Fact]
    public void Messages_CutNoCharacterInHalf() =>
        Assert.DoesNotContain('\ud83e', Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(new string('x', 79) + "🦊🦊")).Message);

    [Fact]
    public void Parse_RefusesAnEndlessField() =>
        Assert.Contains("subject", Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(Good.Replace("a fox", new string('f', 501)))).Message);

    [Fact]
    public void Parse_RefusesAnEndlessList() =>
        Assert.Contains(
            "flags",
            Assert.Throws<VerdictFormatException>(
                () => VerdictFormat.Parse(Good.Replace("[\"text\"]", $"[{string.Join(',', Enumerable.Repeat("\"x\"", 17))}]"))).Message);

    [Fact]
    public void Parse_QuotesOnlyTheStartOfABadAnswer() =>
        Assert.True(Assert.Throws<VerdictFormatException>(() => VerdictFormat.Parse(new string('x', 20_000))).Message.Length < 500);

    [Fact]
    public void Confidence_RefusesNaN() => Assert.Throws<ArgumentOutOfRangeException>(() => VerdictFormat.Parse(Good) with { Confidence = double.NaN });
}
