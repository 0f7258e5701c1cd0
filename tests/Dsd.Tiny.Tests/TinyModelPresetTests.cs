using Dsd.Curation.Presets;
using Dsd.Models.Families;
using Dsd.Models.Sampling;

namespace Dsd.Tiny.Tests;

/// <summary>What the name of the embedded model stands for.</summary>
public class TinyModelPresetTests
{
    [Fact]
    public void Register_MakesTheNameKnown_AndMayBeCalledAgain()
    {
        TinyModel.Register();
        TinyModel.Register();
        Assert.Same(TinyModel.Preset, ModelPresets.Find("tiny"));
        Assert.Same(TinyModel.Curation, CurationPresets.Find("tiny"));
        Assert.Equal(TinyModel.Folder, ModelPresets.Resolve("tiny"));
        string said = Assert.Throws<DirectoryNotFoundException>(() => ModelPresets.Resolve("nowhere")).Message;
        Assert.StartsWith("Model 'nowhere': expected 'tiny' or a pipeline folder in diffusers' layout, found no folder at '", said, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePreset_SaysWhereTheStudentIs_AndHowLargeAGrid()
    {
        Assert.True(File.Exists(TinyModel.Preset.AdapterFile));
        Assert.Equal(TinyModel.Preset.AdapterFile, TinyModel.Preset.Training.InitialAdapterFile);
        Assert.Equal(new TextToImageOptions { Width = 2 * TinyModel.PanelSize, Height = TinyModel.PanelSize }, TinyModel.Preset.Grid(rows: 1, columns: 2));
        Assert.Equal(TinyModel.Sampling, TinyModel.Preset.Frame);
    }

    [Fact]
    public void Captions_AreTheSameEachTime_AndNoneComesTwice()
    {
        (string Key, string Text)[] captions = [.. TinyModel.Curation.Captions!(3).Take(50)];
        Assert.Equal(captions, TinyModel.Curation.Captions!(3).Take(50));
        Assert.Equal(50, captions.Select(c => c.Text).Distinct().Count());
        Assert.Equal(("world-3-0", "world-3-49"), (captions[0].Key, captions[^1].Key));
    }
}
