using Dsd.Curation.Axes;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests.Axes;

public sealed class AxesTests
{
    private const string Answer = """
        {"subject": "a fox", "parts": [{"name": "tail", "differences": "none", "score": 4},
         {"name": "scarf", "differences": "two stripes in A, three in B", "score": 2}],
         "object_consistency": 3, "image_quality": 4, "composition": 1, "prompt_adherence": 0}
        """;

    private static readonly Picture A = TestPictures.Plain(20, 10, (200, 0, 0));
    private static readonly Picture B = TestPictures.Plain(20, 10, (0, 0, 200));

    [Fact]
    public void AnAnswer_IsRead_AndWrittenAndReadAgain()
    {
        PairAxes axes = AxesFormat.Parse(Answer);

        Assert.Equal([3, 2, 4, 1, 0], Enum.GetValues<PairAxis>().Select(axis => axes[axis]));
        Assert.Equal("two stripes in A, three in B", axes.Parts[1].Differences);
        PairAxes again = PairAxes.FromJson(axes.ToJson());
        Assert.Equal(axes.Parts, again.Parts);
        Assert.Equal(axes.ToJson(), again.ToJson());
    }

    [Theory]
    [InlineData("\"score\": 2", "\"score\": 5", "from 0 to 4, found 5")]
    [InlineData("\"score\": 2", "\"score\": 131184.67", "131184.67")]
    [InlineData("\"score\": 2", "\"score\": \"2\"", "'score'")]
    [InlineData("\"object_consistency\": 3, ", "", "'object_consistency' is missing")]
    [InlineData("\"composition\": 1", "\"composition\": 1, \"verdict\": true", "'verdict'")]
    [InlineData("\"name\": \"tail\", ", "", "parts[0]")]
    [InlineData("\"differences\": \"none\"", "\"differences\": \"\"", "'differences'")]
    public void AnotherAnswer_IsRefused_WithTheField(string from, string to, string found) => Assert.Contains(
        found, Assert.Throws<FormatException>(() => AxesFormat.Parse(Answer.Replace(from, to, StringComparison.Ordinal))).Message, StringComparison.Ordinal);

    [Fact]
    public void NoParts_AndTooMany_AreRefused()
    {
        string part = """{"name": "p", "differences": "none", "score": 4}""";
        string With(int count) => $$"""
            {"subject": "s", "parts": [{{string.Join(",", Enumerable.Repeat(part, count))}}], "object_consistency": 3, "image_quality": 4, "composition": 1,
             "prompt_adherence": 0}
            """;
        Assert.Equal(AxesFormat.MaxParts, AxesFormat.Parse(With(AxesFormat.MaxParts)).Parts.Count);
        Assert.Contains("found 0", Assert.Throws<FormatException>(() => AxesFormat.Parse(With(0))).Message, StringComparison.Ordinal);
        Assert.Contains("found 25", Assert.Throws<FormatException>(() => AxesFormat.Parse(With(25))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AJudge_ShowsBothPicturesWithTheirCaptions_AndAsksOnceMoreWhereItCannotRead()
    {
        CallbackChatClient client = new("They are alike.", Answer);
        AxesVote vote = await new AxesJudge(client, new AxesJudgeOptions { Name = "j" }).ScoreAsync(A, B, "a fox \"at sea\"", "a fox at home");

        Assert.Equal(("j", 2, 3), (vote.Judge, vote.Attempts, vote.Axes!.ObjectConsistency));
        IReadOnlyList<AIContent> shown = [.. client.Calls[0].Messages[1].Contents];
        Assert.Equal(
            ["Image A, to show \"a fox \\u0022at sea\\u0022\":", "Image B, to show \"a fox at home\":"], shown.OfType<TextContent>().Select(t => t.Text));
        Assert.Equal([200, 0], shown.OfType<DataContent>().Select(p => (int)Picture.Decode(p.Data.Span, "sent").Pixels[0]));
        Assert.Equal("axes", ((ChatResponseFormatJson)client.Calls[0].Options!.ResponseFormat!).SchemaName);
    }

    [Fact]
    public async Task TwoAnswersThatCannotBeRead_GiveNoScores_AndTheReason()
    {
        AxesVote vote = await new AxesJudge(new CallbackChatClient("no")).ScoreAsync(A, B, "", "");

        Assert.Null(vote.Axes);
        Assert.Contains("'no'", vote.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFingerprint_FollowsNameAndInstructions()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "Score them.");
            string plain = new AxesJudge(new CallbackChatClient("")).Fingerprint;
            Assert.Equal(plain, new AxesJudge(new CallbackChatClient("")).Fingerprint);
            Assert.NotEqual(plain, new AxesJudge(new CallbackChatClient(""), new AxesJudgeOptions { InstructionsFile = file }).Fingerprint);
            Assert.NotEqual(plain, new AxesJudge(new CallbackChatClient(""), new AxesJudgeOptions { Name = "other" }).Fingerprint);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
