using Dsd.Curation.Grids;
using Dsd.Curation.Presets;

namespace Dsd.Curation.Tests.Presets;

public sealed class CurationPresetsTests
{
    // One for the process, as the registry is: the tests of this class register it again and again.
    private static readonly CurationPreset Preset = new() { Name = "preset-of-a-test", TaskLayout = GridLayout.OneByFour };

    public CurationPresetsTests() => CurationPresets.Register(Preset);

    [Fact]
    public void APreset_IsFoundByItsNameAlone()
    {
        Assert.Same(Preset, CurationPresets.Find(Preset.Name));
        Assert.Same(Preset, CurationPresets.Of(Preset.Name));
        Assert.Same(Preset, Assert.Single(CurationPresets.All, p => p.Name == Preset.Name));
        Assert.Null(CurationPresets.Find(Preset.Name.ToUpperInvariant()));
        Assert.Null(CurationPresets.Find(""));
    }

    [Fact]
    public void AName_IsGivenOnce()
    {
        string said = Assert.Throws<ArgumentException>(() => CurationPresets.Register(Preset with { TaskLayout = null })).Message;
        Assert.Contains($"'{Preset.Name}'", said, StringComparison.Ordinal);
        Assert.Same(Preset, CurationPresets.Find(Preset.Name));
    }

    [Fact]
    public void ManyThreads_MayRegisterTheSamePreset()
    {
        CurationPreset preset = Preset with { Name = "preset-of-many-threads" };
        Parallel.For(0, 64, _ => CurationPresets.Register(preset));
        Assert.Single(CurationPresets.All, p => p.Name == preset.Name);
    }

    [Fact]
    public void WhatNobodyRegistered_BringsNothing()
    {
        CurationPreset none = CurationPresets.Of("models/flux");
        Assert.Null(none.Templates);
        Assert.Null(none.TaskLayout);
        Assert.Null(none.Judge);
        Assert.Null(none.Captions);
        Assert.Empty(none.Layouts);
        Assert.Equal("model 'models/flux'", none.Title);
    }

    [Fact]
    public void AList_IsThePresetsOwn()
    {
        List<GridLayout> layouts = [GridLayout.OneByTwo];
        CurationPreset preset = new() { Name = "mine", Layouts = layouts };
        layouts.Clear();
        Assert.Equal([GridLayout.OneByTwo], preset.Layouts);
    }

    [Fact]
    public void WhatIsWrong_IsSaidWhereThePresetIsMade()
    {
        Assert.Contains("Name", Assert.Throws<ArgumentException>(() => Preset with { Name = "" }).Message, StringComparison.Ordinal);
        Assert.Contains("Title", Assert.Throws<ArgumentException>(() => Preset with { Title = " " }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => Preset with { Layouts = null! });
    }
}
