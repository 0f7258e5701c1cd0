using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Testing;

namespace Dsd.Models.Tests.Families;

public sealed class ModelPresetsTests : IDisposable
{
    // One for the process, as the registry is: the tests of this class register it again and again.
    private static readonly ModelPreset Preset = new()
    {
        Name = "preset-of-a-test",
        Folder = Path.Combine(Path.GetTempPath(), "no folder of a preset"),
        AdapterFile = "adapter.safetensors",
        Panel = new TextToImageOptions { Width = 48, Height = 32, Steps = 7 },
        Frame = new DsdOptions { Width = 48, Height = 32 },
    };

    private readonly TemporaryFolder _folder = new();

    public ModelPresetsTests() => ModelPresets.Register(Preset);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void APreset_IsFoundByItsNameAlone()
    {
        Assert.Same(Preset, ModelPresets.Find(Preset.Name));
        Assert.Same(Preset, ModelPresets.Of(Preset.Name));
        Assert.Same(Preset, Assert.Single(ModelPresets.All, p => p.Name == Preset.Name));
        Assert.Null(ModelPresets.Find(Preset.Name.ToUpperInvariant()));
        Assert.Null(ModelPresets.Find(Preset.Folder));
        Assert.Null(ModelPresets.Find(""));
    }

    [Fact]
    public void AName_IsGivenOnce()
    {
        string said = Assert.Throws<ArgumentException>(() => ModelPresets.Register(Preset with { Folder = "another" })).Message;
        Assert.Contains($"'{Preset.Name}'", said, StringComparison.Ordinal);
        Assert.Contains($"'{Preset.Folder}'", said, StringComparison.Ordinal);
        Assert.Same(Preset, ModelPresets.Find(Preset.Name));
    }

    [Fact]
    public void ManyThreads_MayRegisterTheSamePreset()
    {
        ModelPreset preset = Preset with { Name = "preset-of-many-threads" };
        Parallel.For(0, 64, _ => ModelPresets.Register(preset));
        Assert.Single(ModelPresets.All, p => p.Name == preset.Name);
    }

    [Fact]
    public void AFolder_GetsTheOrdinaryDefaults()
    {
        ModelPreset folder = ModelPresets.Of("models/flux");
        Assert.Equal(("models/flux", "models/flux", null), (folder.Name, folder.Folder, folder.AdapterFile));
        Assert.Equal(new TextToImageOptions(), folder.Grid(3, 3));
        Assert.Equal(new DsdOptions(), folder.Frame);
        LoraTrainingOptions training = new();
        Assert.Equal(
            (training.Width, training.Height, training.Steps, null),
            (folder.Training.Width, folder.Training.Height, folder.Training.Steps, folder.Training.InitialAdapterFile));
    }

    [Fact]
    public void AGrid_IsAsManyPanelsAsItHas() =>
        Assert.Equal(Preset.Panel! with { Width = 96, Height = 96 }, Preset.Grid(rows: 3, columns: 2));

    [Fact]
    public void Resolve_GivesThePresetsFolder_AndAFolderItself()
    {
        ModelPreset here = Preset with { Name = "preset-with-a-folder", Folder = _folder.Path };
        Assert.Equal(_folder.Path, ModelPresets.Resolve(here));
        Assert.Equal(_folder.Path, ModelPresets.Resolve(_folder.Path));
    }

    [Fact]
    public void Resolve_NamesAllThatIsKnown()
    {
        string said = Assert.Throws<DirectoryNotFoundException>(() => ModelPresets.Resolve("nowhere")).Message;
        Assert.StartsWith("Model 'nowhere': expected '", said, StringComparison.Ordinal);
        Assert.Contains($"'{Preset.Name}'", said, StringComparison.Ordinal);
        Assert.EndsWith(
            $"' or a pipeline folder in diffusers' layout, found no folder at '{Path.GetFullPath("nowhere")}'.", said, StringComparison.Ordinal);
        Assert.Contains(
            $"found no folder at '{Preset.Folder}'",
            Assert.Throws<DirectoryNotFoundException>(() => ModelPresets.Resolve(Preset.Name)).Message,
            StringComparison.Ordinal);
        Assert.Equal("nameOrFolder", Assert.Throws<ArgumentException>(() => ModelPresets.Resolve("")).ParamName);
    }

    [Fact]
    public void WhatIsWrong_IsSaidWhereThePresetIsMade()
    {
        Assert.Contains("Name", Assert.Throws<ArgumentException>(() => Preset with { Name = " " }).Message, StringComparison.Ordinal);
        Assert.Contains("Folder", Assert.Throws<ArgumentException>(() => Preset with { Folder = "" }).Message, StringComparison.Ordinal);
        Assert.Contains("AdapterFile", Assert.Throws<ArgumentException>(() => Preset with { AdapterFile = "" }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => Preset with { Frame = null! });
        Assert.Throws<ArgumentNullException>(() => Preset with { Training = null! });
    }
}
