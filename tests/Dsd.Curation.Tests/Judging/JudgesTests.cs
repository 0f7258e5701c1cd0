using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.Curation.Tests.Judging;

/// <summary>Judges made of judges.</summary>
public sealed class JudgesTests
{
    private static readonly Picture Grey = TestPictures.Plain(32, 32, (90, 90, 90));

    [Theory]
    [InlineData(VotingRule.Majority, true, true, false, true)]
    [InlineData(VotingRule.Majority, true, false, false, false)]
    [InlineData(VotingRule.Unanimous, true, true, false, false)]
    [InlineData(VotingRule.Unanimous, true, true, true, true)]
    public async Task Voting_FollowsItsRule(VotingRule rule, bool a, bool b, bool c, bool kept)
    {
        VotingJudge vote = new([new Fixed("a", a, 0.9), new Fixed("b", b, 0.8), new Fixed("c", c, 0.7)], rule);
        PairJudgement judgement = await vote.JudgeAsync(Grey, Grey);

        Assert.Equal(kept, judgement.Kept);
        Assert.Equal(["a", "b", "c"], judgement.Votes.Select(v => v.Judge));
        double[] agreeing = [.. new[] { (a, 0.9), (b, 0.8), (c, 0.7) }.Where(v => v.Item1 == kept).Select(v => v.Item2)];
        Assert.Equal(agreeing.Average(), judgement.Confidence, 9);
    }

    [Fact]
    public async Task Voting_WithoutAVerdictThatAgrees_IsUndecided()
    {
        VotingJudge vote = new([new Fixed("a", true, 0.9), new Fixed("b", null, 0)]);
        PairJudgement judgement = await vote.JudgeAsync(Grey, Grey);

        // One of two is no majority, and nobody said 'not the same'.
        Assert.Equal((VerdictStatus.Undecided, false), (judgement.Status, judgement.Kept));
        Assert.Throws<ArgumentException>(() => new VotingJudge([new Fixed("a", true, 1), new Fixed("a", true, 1)]));
    }

    [Theory]
    [InlineData(0.95, true, 1)]
    [InlineData(0.5, false, 2)]
    public async Task Cascade_AsksTheDearJudgeOnlyInDoubt(double confidence, bool kept, int asked)
    {
        CascadeJudge cascade = new(new Fixed("cheap", true, confidence), new Fixed("dear", false, 0.8), 0.9);
        PairJudgement judgement = await cascade.JudgeAsync(Grey, Grey);

        Assert.Equal((kept, asked), (judgement.Kept, judgement.Votes.Count));
    }

    [Fact]
    public async Task Cascade_AsksTheDearJudgeWhereTheCheapOneIsUndecided()
    {
        PairJudgement judgement = await new CascadeJudge(new Fixed("cheap", null, 0), new Fixed("dear", true, 0.8)).JudgeAsync(Grey, Grey);
        Assert.Equal((true, VerdictStatus.Decided, 2), (judgement.Kept, judgement.Status, judgement.Votes.Count));
    }

    [Fact]
    public async Task Pictures_AreSentInTheFormatThatWasAsked()
    {
        CallbackChatClient client = new(new Fixed("a", true, 0.9).Answer);
        await new PairJudge(
            client,
            new PairJudgeOptions { Format = PictureFormat.Jpeg, JpegQuality = 50, MaxImageSide = 32 })
                .JudgeAsync(TestPictures.Plain(64, 48, (200, 10, 10)), Grey);

        Microsoft.Extensions.AI.DataContent sent = client.Calls[0].Messages[1].Contents.OfType<Microsoft.Extensions.AI.DataContent>().First();
        Picture decoded = Picture.Decode(sent.Data.Span, "sent");
        Assert.Equal(("image/jpeg", 32, 24), (sent.MediaType, decoded.Width, decoded.Height));
        Assert.InRange(decoded.Pixels[0], 190, 210);
    }

    private sealed class Fixed(string name, bool? same, double confidence) : IPairJudge
    {
        public string Name => name;

        public string Answer => Verdict!.ToJson();

        private Verdict? Verdict =>
            same is null
                ? null
                : new Verdict
                {
                    Subject = "a fox",
                    DescriptionA = "a",
                    DescriptionB = "b",
                    Differences = [],
                    Same = same.Value,
                    Confidence = confidence,
                    Flags = [],
                };

        public Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
        {
            JudgeVote vote = new() { Judge = name, Verdict = Verdict, Kept = same == true, Reason = "fixed", Attempts = 1 };
            return Task.FromResult(new PairJudgement
            {
                Status = same is null ? VerdictStatus.Undecided : VerdictStatus.Decided,
                Verdict = Verdict,
                Kept = same == true,
                Confidence = same is null ? double.NaN : confidence,
                Reason = "fixed",
                Votes = [vote],
            });
        }
    }
}
