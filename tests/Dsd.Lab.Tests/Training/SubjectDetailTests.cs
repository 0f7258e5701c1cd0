using Dsd.Lab.Training;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Training;

public sealed class SubjectDetailTests
{
    private const int Size = 128;
    private const int TokenSide = 16;
    private const int Side = Size / TokenSide;
    private static readonly Subject Fox = new()
    {
        Shape = BodyShape.Round,
        Color = BodyColor.Red,
        Pattern = Pattern.Plain,
        PatternColor = PatternColor.None,
        Eyes = Eyes.Two,
        Ears = Ears.Bunny,
        Mouth = Mouth.Open,
        Accessory = Accessory.None,
        AccessoryColor = AccessoryColor.None,
    };

    private static readonly Context Middle = new() { Pose = Pose.Standing, Placement = Placement.Center, Scale = SubjectScale.Large };

    [Fact]
    public void Weights_AreOneOnAverageAndNeverLessThanTheirPartOfTheWhole()
    {
        WorldRandom random = new(5);
        for (int i = 0; i < 20; i++)
        {
            WorldPanel panel = new(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random));

            float[] weights = SubjectDetail.Weights(panel, Size, TokenSide, detail: 2);

            Assert.Equal(Side * Side, weights.Length);
            Assert.Equal(1, weights.Average(), 1e-4);
            Assert.All(weights, weight => Assert.True(weight >= 1 / 3f - 1e-6));
        }
    }

    [Fact]
    public void Weights_LieWhereTheSubjectIsAndMostlyOnItsFace()
    {
        float[] weights = SubjectDetail.Weights(new WorldPanel(Fox, Middle), Size, TokenSide, detail: 2);

        // A large round creature that stands in the middle: its eyes and mouth lie in the middle columns, above the middle.
        int most = Enumerable.Range(0, weights.Length).MaxBy(i => weights[i]);
        Assert.InRange(most % Side, 2, 5);
        Assert.InRange(most / Side, 2, 5);
        Assert.True(weights[most] > 2);
        // Nothing of it is in the corners.
        Assert.All(new[] { 0, Side - 1, Side * (Side - 1) }, corner => Assert.Equal(1 / 3f, weights[corner], 1e-4));
    }

    [Fact]
    public void Weights_WithoutDetailAreAllAlike() =>
        Assert.All(SubjectDetail.Weights(new WorldPanel(Fox, Middle), Size, TokenSide, detail: 0), weight => Assert.Equal(1, weight));

    [Fact]
    public void Changed_IsAValidSubjectThatDiffersInOneThing()
    {
        WorldRandom random = new(9);
        for (int i = 0; i < 50; i++)
        {
            Subject subject = WorldSampler.SampleSubject(random);
            for (int attribute = 0; attribute < Subject.Kinds.Count; attribute++)
            {
                if (SubjectDetail.Changed(subject, attribute) is not { } other)
                {
                    continue;
                }
                Assert.True(other.IsValid);
                int[] differ = [.. Enumerable.Range(0, Subject.Kinds.Count).Where(k => subject.Values[k] != other.Values[k])];
                Assert.Contains(attribute, differ);
                // The colour of a pattern or an accessory may have to come, to go or to make room.
                Assert.All(differ.Where(k => k != attribute), k => Assert.Equal(attribute + 1, k));
            }
        }
    }

    [Fact]
    public void Changed_HasNoOtherColorForWhatIsNotThere() =>
        Assert.Null(SubjectDetail.Changed(Fox, Subject.Kinds.Index().Single(kind => kind.Item.Name == "pattern_color").Index));
}
