using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Lora;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>A folder for temporary files that is not there. The variable is the whole process's, so nothing runs beside these tests.</summary>
[Collection(nameof(TemporaryPlaceTests))]
[CollectionDefinition(nameof(TemporaryPlaceTests), DisableParallelization = true)]
public sealed class TemporaryPlaceTests : IDisposable
{
    private static readonly string Variable = OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";
    private readonly TemporaryFolder _folder = new();
    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);
    private readonly MLContext _ml;

    public TemporaryPlaceTests()
    {
        Environment.SetEnvironmentVariable(Variable, _folder.File("nowhere"));
        // A context takes the system's folder when it is made.
        _ml = new MLContext(1);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, _before);
        _folder.Dispose();
    }

    [Fact]
    public void Fit_OfAChain_SaysSoBeforeAnythingIsDrawn()
    {
        PaintingTeacher teacher = new();
        IEstimator<ITransformer> chain =
            new GridGenerator(_ml, new GridGeneratorOptions { Layout = GridLayout.OneByTwo }, new PaintedModels { Teacher = teacher })
            .Append(new VlmCurator(_ml))
            .Append(new LoraFineTuner(_ml))
            .Append(new DsdGenerator(_ml));
        AssertNamed(Assert.Throws<IOException>(() => chain.Fit(Views.Captions(_ml, "a fox"))));
        Assert.Empty(teacher.Batches);
    }

    // An adapter goes from training to generation and export in memory: the rows alone lay in a file, and their place is known before.
    [Fact]
    public void AnAdapter_NeedsNoTemporaryFile()
    {
        string file = Path.Combine(OwnFixtures.TinyDsd, "pytorch_lora_weights.safetensors");
        using LoraAdapter read = LoraAdapter.Load(file);
        PaintedModels models = new()
        {
            Training = _ =>
            {
                Environment.SetEnvironmentVariable(Variable, _folder.File("nowhere"));
                return LoraWeights.Of(read, "the trained adapter");
            },
            TrainingCheck = options => StageModels.Real.CheckTraining(options),
        };
        Environment.SetEnvironmentVariable(Variable, _before);
        MLContext ml = new(1);
        LoraWeights trained = new LoraFineTuner(ml, null, models).Fit(LoadApp.SampleInput.Of(ml, "pairs")).Adapter;

        using LoraAdapter opened = trained.Open();

        Assert.Equal("the trained adapter", opened.Source);
        Assert.Equal(read.Factors.Keys, opened.Factors.Keys);
        DsdGeneratorOptions options = new() { Model = OwnFixtures.TinyFlux, ReleaseFolder = OwnFixtures.TinyDsd };
        StageModels.Real.Export(options, trained, _folder.File("onnx"), CancellationToken.None);
        Assert.Equal(trained.ExportName, StageModels.Real.MergedLora(_folder.File("onnx")));
    }

    [Fact]
    public void TheFineTuner_SaysSoBeforeARowIsRead()
    {
        IDataView pairs = LoadApp.SampleInput.Of(_ml, "pairs");
        AssertNamed(Assert.Throws<IOException>(() => new LoraFineTuner(_ml).GetOutputSchema(ColumnCheck.ShapeOf(pairs.Schema))));
        AssertNamed(Assert.Throws<IOException>(() => new LoraFineTuner(_ml).Fit(pairs)));
    }

    [Fact]
    public void GetOutputSchema_OfTheGenerator_SaysSo_UnlessItExportsElsewhere()
    {
        SchemaShape references = ColumnCheck.ShapeOf(LoadApp.SampleInput.Of(_ml, "references").Schema);
        AssertNamed(Assert.Throws<IOException>(() => new DsdGenerator(_ml).GetOutputSchema(references)));
        DsdGeneratorOptions elsewhere = new() { Backend = new OnnxGeneration { Folder = _folder.File("models") } };
        Assert.NotNull(new DsdGenerator(_ml, elsewhere).GetOutputSchema(references));
    }

    private void AssertNamed(IOException e)
    {
        Assert.Contains(Variable, e.Message);
        Assert.Contains(_folder.File("nowhere"), e.Message);
    }
}
