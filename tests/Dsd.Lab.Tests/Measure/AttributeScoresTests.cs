using Dsd.Lab.Measure;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Measure;

public class AttributeScoresTests
{
    private static readonly Subject Fellow = new() { Shape = BodyShape.Star, Color = BodyColor.Blue };
    private static readonly Context Night = new() { Scene = Scene.City, Pose = Pose.Lying, Light = Light.Night };

    [Fact]
    public void IdentityShare_IsOneForTheTruth() => Assert.Equal(1, AttributeScores.IdentityShare(Reading(Fellow, Night), Fellow));

    [Fact]
    public void IdentityShare_CountsWhatIsRight() => Assert.Equal(
        7.0 / 9, AttributeScores.IdentityShare(Reading(Fellow with { Shape = BodyShape.Pear, Eyes = Eyes.One }, Night), Fellow), 12);

    [Fact]
    public void ContextShare_HeedsOnlyWhatThePromptStates()
    {
        int[] read = Reading(Fellow, Night with { Pose = Pose.Waving, Scale = SubjectScale.Large });
        Assert.Equal(0.5, AttributeScores.ContextShare(read, Night, 0b00011));
        Assert.Equal(1, AttributeScores.ContextShare(read, Night, 0b10001));
        Assert.Equal(0, AttributeScores.ContextShare(read, Night, 0b01010));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0b100000)]
    [InlineData(-1)]
    public void ContextShare_RefusesAMaskThatStatesNothingOrTooMuch(int mask) =>
        Assert.Throws<ArgumentException>(() => AttributeScores.ContextShare(Reading(Fellow, Night), Night, mask));

    [Fact]
    public void IdentityShare_RefusesAReadingWithoutContext() =>
        Assert.Contains("14 values, but 9", Assert.Throws<ArgumentException>(() => AttributeScores.IdentityShare(Fellow.Values, Fellow)).Message);

    private static int[] Reading(Subject subject, Context context) => [.. subject.Values, .. context.Values];
}
