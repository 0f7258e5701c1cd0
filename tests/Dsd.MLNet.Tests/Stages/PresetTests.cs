using Dsd.Curation.Grids;
using Dsd.Curation.Presets;
using Dsd.Curation.Tasks;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using Microsoft.Extensions.AI;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>A model that a program registers by name is used as the embedded one is: with what suits it.</summary>
public sealed class PresetTests
{
    private static readonly ModelPreset Mine = new()
    {
        Name = "mine",
        Folder = OwnFixtures.TinyFlux,
        AdapterFile = Path.Combine(OwnFixtures.TinyDsd, "pytorch_lora_weights.safetensors"),
        Panel = new TextToImageOptions { Width = 48, Height = 32, Steps = 3 },
        Frame = new DsdOptions { Width = 48, Height = 32, Steps = 3, ImageGuidance = 2 },
        Training = new LoraTrainingOptions { Width = 48, Height = 32, Steps = 5, MaxTextTokens = 64 },
    };

    private static readonly CurationPreset Words = new()
    {
        Name = "mine",
        Templates = () => GridTemplates.Default with { Caption = "my {context}" },
        TaskLayout = GridLayout.TwoByOne,
        Judge = () => new AnsweringClient(_ => false),
    };

    private readonly MLContext _ml = new(1);

    public PresetTests()
    {
        ModelPresets.Register(Mine);
        CurationPresets.Register(Words);
    }

    [Fact]
    public void Grids_HaveThePresetsWordsLayoutAndSize()
    {
        IDataView captions = Views.Captions(_ml, "a robot");
        GridGeneratorOptions options = new() { Model = "mine", Task = CurationTask.Load("item") };
        using GridGeneratorTransformer fitted = new GridGenerator(_ml, options, new PaintedModels()).Fit(captions);
        IDataView drawn = fitted.Transform(captions);

        Assert.Equal(GridLayout.TwoByOne, LayoutAnnotation.Find(drawn.Schema["Grid"]));
        Assert.StartsWith("48x64:", Views.Column(drawn, "Grid")[0], StringComparison.Ordinal);
        Assert.All(Views.Column(drawn, "PanelCaptions")[0].Split('|'), caption => Assert.StartsWith("my ", caption, StringComparison.Ordinal));
    }

    [Fact]
    public void AFrame_HasThePresetsSize()
    {
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer fitted =
            new DsdGenerator(_ml, new DsdGeneratorOptions { Model = "mine" }, new PaintedModels()).Fit(references);
        Assert.StartsWith("48x32:", Views.Column(fitted.Transform(references), "Generated")[0], StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsLeftOpen_IsThePresets()
    {
        DsdGeneratorOptions generator = new() { Model = "mine" };
        Assert.Equal(Mine.AdapterFile, ModelDefaults.AdapterFile(generator));
        Assert.Equal("given", ModelDefaults.AdapterFile(generator with { LoraFile = "given" }));
        Assert.Equal(Mine.Frame, ModelDefaults.Frame(generator));
        Assert.Same(Mine.Training, ModelDefaults.Training(new LoraFineTunerOptions { Model = "mine" }));
        Assert.Null(ModelDefaults.AdapterFile(generator with { Model = OwnFixtures.TinyFlux }));
        Assert.Equal(new DsdOptions(), ModelDefaults.Frame(generator with { Model = OwnFixtures.TinyFlux }));
    }

    [Fact]
    public void OneValueOfSamplingOrTraining_KeepsTheOthersOfThePreset()
    {
        DsdOptions frame = ModelDefaults.Frame(new DsdGeneratorOptions { Model = "mine", Sampling = new DsdOptions { Steps = 28 } });
        Assert.Equal(Mine.Frame with { Steps = 28 }, frame);
        TextToImageOptions grid = ModelDefaults.Grid(
            new GridGeneratorOptions { Model = "mine", Layout = GridLayout.OneByTwo, Sampling = new TextToImageOptions { Guidance = 2 } });
        Assert.Equal(Mine.Grid(1, 2) with { Guidance = 2 }, grid);
        LoraTrainingOptions training = ModelDefaults.Training(new LoraFineTunerOptions { Model = "mine", Training = new LoraTrainingOptions { Steps = 7 } });
        Assert.Equal((48, 32, 7L), (training.Width, training.Height, training.Steps));
        // What was settled is saved whole, and does not change with a preset.
        DsdGeneratorOptions settled = DsdGeneratorTransformer.Settled(
            new MLContext(), new DsdGeneratorOptions { Model = "mine", Sampling = new DsdOptions { Steps = 28 } });
        Assert.Equal(frame, settled.Sampling);
    }

    [Fact]
    public void ANewAdapter_TakesThePlaceOfThePresetsOwn()
    {
        Assert.NotNull(TinyModel.Preset.Training.InitialAdapterFile);
        LoraFineTunerOptions brief = new() { Training = new LoraTrainingOptions { Steps = 7 } };
        Assert.Equal(TinyModel.Preset.Training.InitialAdapterFile, ModelDefaults.Training(brief).InitialAdapterFile);
        LoraFineTunerOptions fresh = new() { Training = new LoraTrainingOptions { Adapter = new LoraOptions { Rank = 4 } } };
        Assert.Null(ModelDefaults.Training(fresh).InitialAdapterFile);
        Assert.Equal(4, ModelDefaults.Training(fresh).Adapter.Rank);
    }

    [Fact]
    public void TheRealModels_AreLookedForInThePresetsFolder()
    {
        StageModels.Real.CheckTeacher(new GridGeneratorOptions { Model = "mine", Sampling = Mine.Panel });
        StageModels.Real.CheckTraining(new LoraFineTunerOptions { Model = "mine" });
        // Without the preset's adapter the same folder takes no reference.
        StageModels.Real.CheckStudent(new DsdGeneratorOptions { Model = "mine" }, tuned: false);
        Assert.Contains(
            "takes no reference picture",
            Assert.Throws<InvalidOperationException>(
                () => StageModels.Real.CheckStudent(new DsdGeneratorOptions { Model = Mine.Folder }, tuned: false)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void APresetsJudge_IsAChatClientByItsName()
    {
        ChatClients.RequireKnown("mine");
        using IChatClient judge = ChatClients.Create("mine");
        Assert.IsType<AnsweringClient>(judge);
        string said = Assert.Throws<ArgumentException>(() => ChatClients.Register("mine", () => judge)).Message;
        Assert.Contains("The name 'mine' stands for", said, StringComparison.Ordinal);
        Assert.Contains("'mine', ", Assert.Throws<InvalidOperationException>(() => ChatClients.RequireKnown("nobody")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheEmbeddedModel_IsKnownToTheStages_AndMayBeRegisteredAgain()
    {
        Assert.Equal(TinyModel.Folder, KnownPresets.Folder("tiny"));
        TinyModel.Register();
        Assert.Same(TinyModel.Preset, KnownPresets.Model("tiny"));
        Assert.Same(TinyModel.Curation, KnownPresets.Curation("tiny"));
        Assert.Contains(KnownPresets.Judges(), p => p.Name == ChatClients.Embedded);
    }
}
