using Dsd.Curation.Grids;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.World;

public class CaptionsTests
{
    private static readonly char[] Separators = [' ', '.', ',', ':'];

    [Fact]
    public void Corpus_HasFewPlainWords()
    {
        HashSet<string> words = [.. Captions.Corpus(1).Take(12_000).SelectMany(text => text.Split(Separators, StringSplitOptions.RemoveEmptyEntries))];

        Assert.InRange(words.Count, 150, 600);
        Assert.All(words, word => Assert.All(word, character => Assert.True(char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character), word)));
    }

    [Fact]
    public void Corpus_FitsTheTextEncoder() =>
        Assert.All(Captions.Corpus(2).Take(6000), text => Assert.True(Captions.CountTokens(text) <= Captions.MaxTokens, text));

    [Theory]
    [InlineData("1x2")]
    [InlineData("2x2")]
    public void Grid_FitsTheTextEncoderWithOneTemplate(string layout)
    {
        WorldRandom random = new(3);
        for (ulong seed = 0; seed < 500; seed++)
        {
            Caption caption = Captions.Grid(WorldSampler.SampleGrid(random, GridLayout.Parse(layout)), seed, PromptStyle.OneTemplate);

            Assert.True(Captions.CountTokens(caption.Text) <= Captions.MaxTokens, caption.Text);
        }
    }

    [Fact]
    public void Grid_MostlyStatesTheWholeSubjectOfAPairIfAsked()
    {
        WorldRandom random = new(6);
        Caption[] captions = [.. Enumerable.Range(0, 500)
            .Select(i => Captions.Grid(WorldSampler.SampleGrid(random, GridLayout.OneByTwo), (ulong)i, wholeSubject: true))];

        Assert.All(captions, caption => Assert.True(Captions.CountTokens(caption.Text) <= Captions.MaxTokens, caption.Text));
        Assert.InRange(captions.Count(caption => Enumerable.Range(0, Subject.Kinds.Count).All(caption.StatesSubject)), 400, 500);
    }

    [Theory]
    [InlineData("1x2", 0)]
    [InlineData("1x2", 0b000010000)]
    [InlineData("2x2", 0)]
    [InlineData("2x2", 0b010000001)]
    public void GridStating_StatesWhatItIsAskedToAndFits(string layout, int mask)
    {
        WorldRandom random = new(8);
        for (ulong seed = 0; seed < 200; seed++)
        {
            WorldGrid grid = WorldSampler.SampleGrid(random, GridLayout.Parse(layout), inconsistentShare: 0);
            Context[] contexts = [.. grid.Panels.Select(panel => panel.Context)];

            Caption caption = Captions.GridStating(grid.Subject, mask, contexts, seed);

            Assert.Equal((mask, grid.Panels.Count), (caption.SubjectMask, caption.ContextMasks.Count));
            Assert.True(Captions.CountTokens(caption.Text) <= Captions.MaxTokens, caption.Text);
            // Who is not described can be anybody.
            Subject other = mask == 0 ? WorldSampler.SampleSubject(random) : grid.Subject;
            Assert.Equal(caption.Text, Captions.GridStating(other, mask, contexts, seed).Text);
        }
    }

    [Fact]
    public void RelightGridStating_NamesNobodyIfAsked()
    {
        Subject[] subjects = [.. WorldSampler.Subjects(4).Take(50)];

        Caption[] captions = [.. subjects.Select(subject => Captions.RelightGridStating(subject, 0, new Context(), Light.Sunset, Light.Night, 3))];

        Assert.Single(captions.Select(caption => caption.Text).Distinct());
        Assert.Equal(0, captions[0].SubjectMask);
    }

    [Fact]
    public void Grid_SpeaksOfEveryPanel()
    {
        Caption caption = Captions.Grid(WorldSampler.SampleGrid(new WorldRandom(5), GridLayout.TwoByTwo), 1);

        Assert.Equal(4, caption.ContextMasks.Count);
        Assert.All(Enumerable.Range(0, 4), panel => Assert.True(caption.StatesContext(0, panel)));
    }

    [Fact]
    public void RelightGrid_StatesBothLightsAndNoOther()
    {
        Subject subject = WorldSampler.Subjects(4).First();
        for (ulong seed = 0; seed < 200; seed++)
        {
            Caption caption = Captions.RelightGrid(subject, new Context { Light = Light.Day }, Light.Sunset, Light.Night, seed);

            Assert.True(caption.Text.Contains("sunset") || caption.Text.Contains("evening"), caption.Text);
            Assert.True(caption.Text.Contains("night") || caption.Text.Contains("dark") || caption.Text.Contains("moonlight"), caption.Text);
            Assert.DoesNotContain("day", caption.Text, StringComparison.Ordinal);
            Assert.All(Enumerable.Range(0, 2), panel => Assert.True(caption.StatesContext(4, panel)));
        }
    }

    [Fact]
    public void Captions_AreTheSameForTheSameSeed() => Assert.Equal(Captions.Corpus(9).Take(60), Captions.Corpus(9).Take(60));

    [Fact]
    public void Captions_VaryWithTheSeed()
    {
        (Subject subject, Context context) = (WorldSampler.Subjects(1).First(), new Context());

        Assert.True(Enumerable.Range(0, 50).Select(seed => Captions.Single(subject, context, (ulong)seed).Text).Distinct().Count() > 40);
    }

    [Fact]
    public void Single_StatesTheColorExactlyWhereItSaysSo()
    {
        Subject subject = new() { Color = BodyColor.Purple };
        int stated = 0;
        for (ulong seed = 0; seed < 300; seed++)
        {
            Caption caption = Captions.Single(subject, new Context { Scene = Scene.Desert }, seed);
            bool named = caption.Text.Contains("purple", StringComparison.Ordinal) || caption.Text.Contains("violet", StringComparison.Ordinal);
            Assert.Equal(caption.StatesSubject(1), named);
            stated += named ? 1 : 0;
        }

        Assert.InRange(stated, 200, 299);
    }

    [Fact]
    public void Full_StatesEverythingAboutTheSubject()
    {
        Subject subject = new()
        {
            Shape = BodyShape.Pear,
            Color = BodyColor.Pink,
            Pattern = Pattern.Spotted,
            PatternColor = PatternColor.White,
            Eyes = Eyes.Three,
            Ears = Ears.Horns,
            Mouth = Mouth.Beak,
            Accessory = Accessory.Crown,
            AccessoryColor = AccessoryColor.Blue,
        };
        Caption caption = Captions.Full(subject, new Context(), 1, PromptStyle.OneTemplate);

        Assert.StartsWith("a pear shaped pink creature with white spots, three eyes, horns and a beak wearing a blue crown standing on the beach by day",
            caption.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Edit_AlwaysAsksForSceneAndPoseAndNothingOfTheSubject()
    {
        WorldRandom random = new(1);
        for (ulong seed = 0; seed < 200; seed++)
        {
            Caption caption = Captions.Edit(WorldSampler.SampleContext(random), seed);
            Assert.True(caption.StatesContext(0) && caption.StatesContext(1) && caption.SubjectMask == 0, caption.Text);
        }
    }

    [Fact]
    public void EditStating_StatesExactlyWhatItIsTold()
    {
        Context context = new() { Scene = Scene.Snow, Pose = Pose.Jumping, Placement = Placement.Left, Light = Light.Night };
        Caption caption = Captions.EditStating(context, 0b00101, 3, PromptStyle.OneTemplate);

        Assert.Equal("this creature in the snow, on the left", caption.Text);
        Assert.Equal([0b00101], caption.ContextMasks);
    }

    [Fact]
    public void Relight_AsksForTheLight() =>
        Assert.Contains("at night", Captions.Relight(Light.Night, 1, PromptStyle.OneTemplate).Text, StringComparison.Ordinal);

    [Fact]
    public void Grid_RefusesThreePanels() =>
        Assert.Throws<ArgumentException>(() => Captions.Grid(new Subject(), [new Context(), new Context(), new Context()], 1));
}
