using Dsd.Curation.Judging;
using Dsd.Imaging;

namespace Dsd.Curation.Tests.Judging;

/// <summary>A gate keeps pairs from a judge that are too different or nearly copies.</summary>
public sealed class GatedJudgeTests
{
    private static readonly Picture Grey = TestPictures.Plain(32, 32, (90, 90, 90));
    private static readonly GateBounds Both = new() { Least = 0.4, Most = 0.98 };

    [Theory]
    [InlineData(0.3999, VerdictStatus.TooDifferent, "too different: similarity 0.400 is below 0.4")]
    [InlineData(0.9801, VerdictStatus.NearCopy, "near copy: similarity 0.980 is above 0.98")]
    [InlineData(-1, VerdictStatus.TooDifferent, "too different: similarity -1.000 is below 0.4")]
    public async Task WhatLiesOutside_IsNotKept_AndTheJudgeNotAsked(double similarity, VerdictStatus status, string reason)
    {
        Judge judge = new();
        PairJudgement judgement = await new GatedJudge(new Gate(similarity), Both, judge).JudgeAsync(Grey, Grey);

        Assert.Equal((status, false, null, reason), (judgement.Status, judgement.Kept, judgement.Verdict, judgement.Reason));
        Assert.Equal(("gate", false, 0), (judgement.Votes.Single().Judge, judgement.Votes[0].Kept, judgement.Attempts));
        Assert.Equal(0, judge.Asked);
    }

    [Theory]
    [InlineData(0.4)]
    [InlineData(0.98)]
    [InlineData(0.7)]
    public async Task WhatLiesWithin_IsTheJudges_AndWhatWasMeasuredIsItsFirstVote(double similarity)
    {
        Judge judge = new();
        PairJudgement judgement = await new GatedJudge(new Gate(similarity), Both, judge).JudgeAsync(Grey, Grey);

        Assert.Equal((VerdictStatus.Decided, true, 1), (judgement.Status, judgement.Kept, judge.Asked));
        Assert.Equal(["gate", "dear"], judgement.Votes.Select(v => v.Judge));
        Assert.Equal((true, FormattableString.Invariant($"similarity {similarity:0.000}")), (judgement.Votes[0].Kept, judgement.Votes[0].Reason));
    }

    [Fact]
    public async Task OneBound_LeavesTheOtherSideOpen()
    {
        Assert.True((await new GatedJudge(new Gate(1), new GateBounds { Least = 0.4 }, new Judge()).JudgeAsync(Grey, Grey)).Kept);
        Assert.True((await new GatedJudge(new Gate(-1), new GateBounds { Most = 0.4 }, new Judge()).JudgeAsync(Grey, Grey)).Kept);
    }

    [Fact]
    public void TheName_SaysGateBoundsAndJudge()
    {
        Assert.Equal("gate[0.4..0.98]>dear", new GatedJudge(new Gate(0), Both, new Judge()).Name);
        Assert.Equal("gate[..0.98]>dear", new GatedJudge(new Gate(0), Both with { Least = null }, new Judge()).Name);
    }

    [Fact]
    public void BoundsThatMakeNoSense_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new GateBounds { Least = -1.5 });
        Assert.Contains("neither is set", Assert.Throws<ArgumentException>(() => new GatedJudge(new Gate(0), new GateBounds(), new Judge())).Message);
        Assert.Contains("at most Most (0.2), but is 0.4", Assert.Throws<ArgumentException>(
            () => new GatedJudge(new Gate(0), new GateBounds { Least = 0.4, Most = 0.2 }, new Judge())).Message);
    }

    private sealed class Gate(double similarity) : IPairGate
    {
        public string Name => "gate";

        public Task<double> SimilarityAsync(Picture a, Picture b, CancellationToken cancellationToken = default) => Task.FromResult(similarity);
    }

    private sealed class Judge : IPairJudge
    {
        public int Asked { get; private set; }

        public string Name => "dear";

        public Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
        {
            Asked++;
            JudgeVote vote = new() { Judge = Name, Kept = true, Reason = "the same", Attempts = 1 };
            return Task.FromResult(new PairJudgement { Status = VerdictStatus.Decided, Kept = true, Reason = "the same", Votes = [vote] });
        }
    }
}
