using System.Text.RegularExpressions;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Saving;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Timesteps;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>
/// Models that were saved by the first version of each stage, in <c>SavedModels</c>: they load, and compute what they computed then. They were made
/// with the small models in <c>tests/fixtures</c> and name them relative to that folder, so they are loaded by a program that runs there.
/// </summary>
public sealed partial class SavedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("grid-generator", "captions")]
    [InlineData("curator", "grids")]
    [InlineData("generator-onnx", "references")]
    [InlineData("generator-torch", "references")]
    public void Load_ComputesWhatItComputedWhenItWasSaved(string model, string input)
    {
        string[] rows = LoadProgram.RunIn(Fixture(), Saved($"{model}.zip"), input, "--client", "--pictures", _folder.Path);

        Assert.Equal(File.ReadAllLines(Saved($"{model}.txt")), rows.Select(row => Added(row, model)));
        string[] pictures = Directory.GetFiles(Saved(""), $"{model}-*.png");
        Assert.NotEmpty(pictures);
        Assert.All(pictures, expected =>
        {
            Picture now = Picture.Load(_folder.File(Path.GetFileName(expected)[(model.Length + 1)..]));
            // As another processor rounds.
            Assert.InRange(Picture.Load(expected).Pixels.ToArray().Zip(now.Pixels.ToArray()).Max(p => Math.Abs(p.First - p.Second)), 0, 2);
        });
    }

    [Fact]
    public void Load_OfAFineTuner_GivesItsAdapter()
    {
        ITransformer loaded = new MLContext().Model.Load(Saved("fine-tuner.zip"), out DataViewSchema schema);
        LoraFineTunerTransformer tuner = Assert.IsType<LoraFineTunerTransformer>(loaded);
        Assert.Equal("adac3206dd8d8305", tuner.Adapter.Fingerprint);
        Assert.Equal(["attn.to_q"], tuner.Options.Training!.Adapter.Targets);
        // As the first version saved it, in other words.
        Assert.Equal(ConditionTraining.Whole, tuner.Options.Training.Adapter.Condition);
        Assert.Equal(new AdamWOptions(), tuner.Options.Training.Optimizer);
        Assert.Equal((1, 1), (tuner.Options.Training.ReferenceWeight, tuner.Options.Training.TargetWeight));
        Assert.Contains(loaded.GetOutputSchema(schema), c => c.Name == "Adapter" && c.Type is LoraDataViewType);
    }

    // The second version held its pairs in memory, and had an option for how many.
    [Fact]
    public void Load_OfAFineTunerOfTheSecondVersion_GivesItsAdapterAndOptions()
    {
        ITransformer loaded = new MLContext().Model.Load(Saved("fine-tuner-2.zip"), out DataViewSchema schema);
        LoraFineTunerTransformer tuner = Assert.IsType<LoraFineTunerTransformer>(loaded);
        Assert.Equal("69606152d8b1db8f", tuner.Adapter.Fingerprint);
        Assert.Equal((new TrainingBase(), null), (tuner.Options.Base, tuner.Options.HeldOutColumn));
        LoraTrainingOptions training = tuner.Options.Training!;
        Assert.Equal((new ProdigyOptions(), 1.0, 0.5), (training.Optimizer, training.LearningRate, training.ReferenceWeight));
        Assert.Equal((2, ConditionTraining.Frozen), (training.Adapter.Rank, training.Adapter.Condition));
        using MemoryStream saved = new();
        new MLContext().Model.Save(loaded, schema, saved);
        Assert.Equal("69606152d8b1db8f", Assert.IsType<LoraFineTunerTransformer>(new MLContext().Model.Load(saved, out _)).Adapter.Fingerprint);
    }

    [Fact]
    public void Read_OfTrainingOptions_GivesThemBack()
    {
        LoraFineTunerOptions options = new()
        {
            Base = new TrainingBase { DType = TorchSharp.torch.ScalarType.BFloat16, Setting = "recomputed", TransformerFile = "t.safetensors" },
            HeldOutColumn = "Test",
            Training = new LoraTrainingOptions
            {
                Optimizer = new ProdigyOptions { InitialDistance = 1e-5 },
                Timesteps = new ModeTimesteps { Scale = 0.5 },
                Weighting = LossWeighting.Cosmap,
                Adapter = LoraOptions.Preset("attention") with { RankPattern = [new("attn.to_q", 4)], Condition = ConditionTraining.Lora },
                CheckpointEvery = TimeSpan.FromMinutes(3),
            },
        };
        LoraFineTunerOptions whole = ModelEntry.Read<LoraFineTunerOptions>(ModelEntry.Text(options));
        Assert.Equal((options.Base, "Test"), (whole.Base, whole.HeldOutColumn));
        LoraTrainingOptions read = whole.Training!;
        Assert.Equal(options.Training.Optimizer, read.Optimizer);
        Assert.Equal(options.Training.Timesteps, read.Timesteps);
        Assert.Equal(options.Training.Adapter.RankPattern, read.Adapter.RankPattern);
        Assert.Equal(ModelEntry.Text(options), ModelEntry.Text(options with { Training = read }));
    }

    public void Dispose() => _folder.Dispose();

    private static string Saved(string file) => Path.Combine(Fixtures.Repository, "tests", "Dsd.MLNet.Tests", "SavedModels", file);

    private static string Fixture() => Path.GetDirectoryName(OwnFixtures.TinyFlux)!;

    /// <summary>The columns that a stage adds, pictures by their size alone.</summary>
    private static string Added(string row, string model)
    {
        string[] added = File.ReadLines(Saved($"{model}.txt")).First().Split("; ").Select(NameOf).ToArray();
        return string.Join("; ", row.Split("; ").Where(value => added.Contains(NameOf(value))).Select(value => Hash().Replace(value, "")));
    }

    private static string NameOf(string value) => value.Split('=')[0];

    [GeneratedRegex(" [0-9A-F]{64}$")]
    private static partial Regex Hash();
}
