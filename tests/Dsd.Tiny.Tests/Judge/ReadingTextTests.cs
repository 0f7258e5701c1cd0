using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.Judge;

public class ReadingTextTests
{
    private static readonly Subject Fellow = new()
    {
        Shape = BodyShape.Round,
        Color = BodyColor.Blue,
        Pattern = Pattern.Striped,
        PatternColor = PatternColor.White,
        Accessory = Accessory.Hat,
        AccessoryColor = AccessoryColor.Red,
    };

    private readonly ReadingText _text = new(Subject.Kinds);

    [Fact]
    public void Describe_TellsColoursWithTheirThings() => Assert.Equal(
        "shape round, color blue, pattern striped in white, eyes two, no ears, mouth smile, accessory hat in red",
        _text.Describe(TestJudge.Sure(Fellow)));

    [Fact]
    public void Differences_AreNoneForTheSameSubject() => Assert.Empty(Between(Fellow, Fellow));

    [Fact]
    public void Differences_NameWhatIsMissing() => Assert.Equal(
        ["the hat is red in A and missing in B"], Between(Fellow, Fellow with { Accessory = Accessory.None, AccessoryColor = AccessoryColor.None }));

    [Fact]
    public void Differences_NameWhatIsNew() => Assert.Equal(
        ["the hat is missing in A and red in B"], Between(Fellow with { Accessory = Accessory.None, AccessoryColor = AccessoryColor.None }, Fellow));

    [Fact]
    public void Differences_TellTheColourOfTheSameThing() => Assert.Equal(
        ["the hat is red in A and green in B"], Between(Fellow, Fellow with { AccessoryColor = AccessoryColor.Green }));

    [Fact]
    public void Differences_TellThingAndColourInOneSentence() => Assert.Equal(
        ["the pattern is striped in white in A and plain in B", "the accessory is hat in red in A and crown in green in B"],
        Between(Fellow, Fellow with
        {
            Pattern = Pattern.Plain,
            PatternColor = PatternColor.None,
            Accessory = Accessory.Crown,
            AccessoryColor = AccessoryColor.Green,
        }));

    [Fact]
    public void Differences_NameEveryAttributeThatChanged() => Assert.Equal(
        ["the shape is round in A and star in B", "the color is blue in A and yellow in B", "the eyes are two in A and closed in B",
            "the ears are missing in A and cat in B"],
        Between(Fellow, Fellow with { Shape = BodyShape.Star, Color = BodyColor.Yellow, Eyes = Eyes.Closed, Ears = Ears.Cat }));

    [Fact]
    public void Differences_NameNoColourOfWhatIsNotThere()
    {
        // A network may be sure that there is no hat and still see a colour of it.
        SubjectReading bare = SubjectReading.Certain((Fellow with { Accessory = Accessory.None, AccessoryColor = AccessoryColor.None }).Values, Subject.Kinds);
        SubjectReading odd = SubjectReading.Certain((Fellow with { Accessory = Accessory.None, AccessoryColor = AccessoryColor.Green }).Values, Subject.Kinds);
        Assert.Empty(_text.Differences(bare, odd));
    }

    private IReadOnlyList<string> Between(Subject a, Subject b) => _text.Differences(TestJudge.Sure(a), TestJudge.Sure(b));
}
