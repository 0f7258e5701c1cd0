using Dsd.Lab.Measure;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Measure;

public sealed class LookFiguresTests
{
    private readonly LookCase[] _own = LookCase.Draw(200, seed: 1);

    [Fact]
    public void Of_APainterThatCopiesTheHeldPanel_FollowsItWhoeverIsNamed()
    {
        LookFigures own = Figures(_own, c => c.Held);
        LookFigures other = Figures(LookCase.WithOthers(_own), c => c.Held);

        Assert.Equal((1, 1), (own.HeldShare, own.Stated));
        Assert.Equal((1, 0), (other.HeldShare, other.NamedShare));
        Assert.True(other.Stated < 0.7, $"{other.Stated} of the named subject seen in another");
    }

    [Fact]
    public void Of_APainterThatReadsTheCaptionAlone_FollowsNobodyInWhatIsOpen()
    {
        int next = 0;
        LookFigures figures = Figures(_own, c => Combined(c, Someone(next++)));

        Assert.Equal(1, figures.Stated);
        Assert.InRange(figures.HeldShare!.Value, 0.1, 0.4);
    }

    [Fact]
    public void Of_CountsWhatTheCaptionLeavesOpenAlone()
    {
        LookFigures figures = Figures(_own, c => c.Held);

        for (int i = 0; i < Subject.Kinds.Count; i++)
        {
            Assert.Equal(_own.Count(c => c.IsOpen(i)), figures.Held[i].Count);
        }
        Assert.All(Figures(LookCase.Unnamed(_own), c => c.Held).Held, share => Assert.Equal(200, share.Count));
    }

    [Fact]
    public void IsOpen_IsNotTheColourOfWhatTheCaptionSaysIsAbsent()
    {
        Subject plain = new() { Pattern = Pattern.Plain };
        LookCase one = _own[0] with { Named = plain, Held = plain, Caption = Captions.Stating(plain, 0b100, new Context(), 1, 1) };

        Assert.False(one.IsOpen(3));
        Assert.True((one with { Caption = Captions.Stating(plain, 0b010, new Context(), 1, 1) }).IsOpen(3));
    }

    [Fact]
    public void Cases_HoldSubjectsThatNoTrainingSees()
    {
        Assert.All(_own, c => Assert.True(WorldSampler.IsHeldOut(c.Named) && c.Held == c.Named));
        Assert.All(LookCase.WithOthers(_own).Zip(_own), pair => Assert.True(pair.First.Held != pair.Second.Named && WorldSampler.IsHeldOut(pair.First.Held)));
    }

    private static LookFigures Figures(LookCase[] cases, Func<LookCase, Subject> shown) =>
        LookFigures.Of("a painter", HeldNoise.Clean, cases, [.. cases.Select(c => (int[])[.. shown(c).Values, .. c.Right.Values])]);

    private static Subject Someone(int number) => WorldSampler.SampleSubject(new WorldRandom((ulong)number));

    // What is said as it is said, the rest as somebody else has it.
    private static Subject Combined(LookCase one, Subject other) => Subject.FromValues(
        [.. Enumerable.Range(0, Subject.Kinds.Count).Select(i => one.IsOpen(i) ? other.Values[i] : one.Named.Values[i])]);
}
