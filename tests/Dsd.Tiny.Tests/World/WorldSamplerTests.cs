using Dsd.Curation.Grids;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.World;

public class WorldSamplerTests
{
    [Fact]
    public void NextBits_KeepsItsStreamForEver()
    {
        WorldRandom random = new(42);

        Assert.Equal(18298852191158467537UL, random.NextBits());
    }

    [Fact]
    public void IsHeldOut_KeepsAboutOneSubjectInTwenty()
    {
        WorldRandom random = new(9);
        int heldOut = Enumerable.Range(0, 20_000).Count(_ => WorldSampler.IsHeldOut(Subject.FromKey(random.Next(Subject.KeyCount))));

        Assert.InRange(heldOut, 900, 1100);
    }

    [Fact]
    public void IsHeldOut_NeverChangesItsChoice()
    {
        int[] first = [.. Enumerable.Range(0, 1000).Where(key => WorldSampler.IsHeldOut(Subject.FromKey(key))).Take(5)];

        Assert.Equal([15, 18, 52, 54, 55], first);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Subjects_AreValidAndOnTheAskedSide(bool heldOut) =>
        Assert.All(WorldSampler.Subjects(3, heldOut).Take(300), subject => Assert.True(subject.IsValid && WorldSampler.IsHeldOut(subject) == heldOut));

    [Fact]
    public void Subjects_AreTheSameForTheSameSeed() => Assert.Equal(WorldSampler.Subjects(7).Take(50), WorldSampler.Subjects(7).Take(50));

    [Theory]
    [InlineData("1x2")]
    [InlineData("2x2")]
    public void SampleGrid_LosesTheSubjectInTheStatedShare(string layout)
    {
        WorldRandom random = new(4);
        int inconsistent = Enumerable.Range(0, 3000).Count(_ => !WorldSampler.SampleGrid(random, GridLayout.Parse(layout), 0.3).IsConsistent);

        Assert.InRange(inconsistent, 800, 1000);
    }

    [Fact]
    public void SampleGrid_NeverShowsAHeldOutSubjectInTraining()
    {
        WorldRandom random = new(6);
        for (int i = 0; i < 300; i++)
        {
            Assert.All(WorldSampler.SampleGrid(random, GridLayout.TwoByTwo, 1).Panels, panel => Assert.False(WorldSampler.IsHeldOut(panel.Subject)));
        }
    }

    [Fact]
    public void SampleGrid_ShowsDifferentScenes()
    {
        WorldGrid grid = WorldSampler.SampleGrid(new WorldRandom(8), GridLayout.TwoByTwo);

        Assert.Equal(4, grid.Panels.Select(panel => panel.Context.Scene).Distinct().Count());
    }

    [Fact]
    public void SampleGrid_LosesEnoughOfTheSubjectToMatter()
    {
        WorldRandom random = new(9);
        WorldGrid[] lost = [.. Enumerable.Range(0, 500).Select(_ => WorldSampler.SampleGrid(random, GridLayout.OneByTwo, 1))];
        double differences = lost.Average(grid => grid.Panels[0].Subject.Values.Zip(grid.Panels[1].Subject.Values).Count(pair => pair.First != pair.Second));

        Assert.InRange(differences, 2.5, 4.5);
    }

    [Fact]
    public void SampleRelightGrid_ChangesTheLightAlone()
    {
        WorldRandom random = new(10);
        for (int i = 0; i < 200; i++)
        {
            IReadOnlyList<WorldPanel> panels = WorldSampler.SampleRelightGrid(random, inconsistentShare: 0).Panels;

            Assert.NotEqual(panels[0].Context.Light, panels[1].Context.Light);
            Assert.Equal(panels[0], panels[1] with { Context = panels[1].Context with { Light = panels[0].Context.Light } });
        }
    }

    [Fact]
    public void SampleRelightGrid_LosesTheSubjectInTheStatedShare()
    {
        WorldRandom random = new(11);

        Assert.InRange(Enumerable.Range(0, 2000).Count(_ => !WorldSampler.SampleRelightGrid(random, 0.4).IsConsistent), 720, 880);
    }

    [Fact]
    public void SampleGrid_RefusesAShareAboveOne() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WorldSampler.SampleGrid(new WorldRandom(1), GridLayout.OneByTwo, 1.5));

    [Fact]
    public void Change_GivesAnotherValidSubjectWithFewChanges()
    {
        WorldRandom random = new(2);
        foreach (Subject subject in WorldSampler.Subjects(2).Take(300))
        {
            Subject changed = WorldSampler.Change(subject, random);
            int differences = subject.Values.Zip(changed.Values).Count(pair => pair.First != pair.Second);

            // A pattern or an accessory that comes or goes brings or takes its colour.
            Assert.True(changed.IsValid && differences is >= 1 and <= 5, $"{differences} changes");
        }
    }

    [Fact]
    public void Grid_IsAboutTheSubjectOfMostPanels()
    {
        Subject[] subjects = [.. WorldSampler.Subjects(1).Take(2)];
        WorldGrid grid = new(GridLayout.TwoByTwo, [.. ((int[])[1, 0, 0, 0]).Select(i => new WorldPanel(subjects[i], new Context()))]);

        Assert.Equal(subjects[0], grid.Subject);
        Assert.False(grid.IsConsistent);
    }

    [Fact]
    public void Grid_RefusesTooFewPanels() =>
        Assert.Throws<ArgumentException>(() => new WorldGrid(GridLayout.TwoByTwo, [new WorldPanel(new Subject(), new Context())]));
}
