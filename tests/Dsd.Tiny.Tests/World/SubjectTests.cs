using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.World;

public class SubjectTests
{
    [Fact]
    public void ValidSubjects_AreMoreThanAHundredThousand()
    {
        // Shape, eyes, ears and mouth combine freely; only the rest decides whether a subject is valid.
        long free = 1L * Subject.Kinds[0].Count * Subject.Kinds[4].Count * Subject.Kinds[5].Count * Subject.Kinds[6].Count;
        long rest = 0;
        foreach (BodyColor color in Enum.GetValues<BodyColor>())
        {
            foreach (Pattern pattern in Enum.GetValues<Pattern>())
            {
                foreach (PatternColor patternColor in Enum.GetValues<PatternColor>())
                {
                    foreach (Accessory accessory in Enum.GetValues<Accessory>())
                    {
                        rest += Enum.GetValues<AccessoryColor>().Count(accessoryColor => new Subject
                        {
                            Color = color,
                            Pattern = pattern,
                            PatternColor = patternColor,
                            Accessory = accessory,
                            AccessoryColor = accessoryColor,
                        }.IsValid);
                    }
                }
            }
        }

        Assert.True(free * rest > 100_000, $"{free * rest} subjects");
    }

    [Fact]
    public void Contexts_AreSeveralHundred() => Assert.True(Context.Kinds.Aggregate(1, (product, kind) => product * kind.Count) >= 300);

    [Fact]
    public void FromKey_GivesBackTheSubjectOfTheKey()
    {
        foreach (Subject subject in WorldSampler.Subjects(1).Take(200))
        {
            Assert.Equal(subject, Subject.FromKey(subject.Key));
        }
    }

    [Fact]
    public void Attributes_NameTheValues()
    {
        Subject subject = new() { Color = BodyColor.Green, Ears = Ears.Bunny };

        Assert.Contains(new AttributeValue("color", (int)BodyColor.Green, "Green", 8), subject.Attributes);
        Assert.Contains(new AttributeValue("ears", (int)Ears.Bunny, "Bunny", 7), subject.Attributes);
    }

    [Fact]
    public void IsValid_IsFalseWhereColorsRepeat()
    {
        Assert.False(new Subject { Color = BodyColor.White, Pattern = Pattern.Striped, PatternColor = PatternColor.White }.IsValid);
        Assert.False(new Subject { Color = BodyColor.Red, Accessory = Accessory.Hat, AccessoryColor = AccessoryColor.Red }.IsValid);
    }

    [Fact]
    public void IsValid_IsFalseForAColorOfNothing() => Assert.False(new Subject { AccessoryColor = AccessoryColor.Blue }.IsValid);

    [Fact]
    public void FromValues_RefusesTooFewValues() => Assert.Throws<ArgumentException>(() => Subject.FromValues([1, 2]));
}
