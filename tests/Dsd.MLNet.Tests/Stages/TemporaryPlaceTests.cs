using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Tests.Fakes;
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
    private readonly MLContext _ml = new(1);

    public TemporaryPlaceTests() => Environment.SetEnvironmentVariable(Variable, _folder.File("nowhere"));

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
            .Append(new LoraFineTuner(_ml));
        AssertNamed(Assert.Throws<IOException>(() => chain.Fit(Views.Captions(_ml, "a fox"))));
        Assert.Empty(teacher.Batches);
    }

    [Fact]
    public void Fit_OfTheFineTuner_SaysSoBeforeItTrains()
    {
        PaintedModels models = new() { Training = _ => throw new InvalidOperationException("It trains."), TrainingCheck = StageModels.Real.CheckTraining };
        LoraFineTuner tuner = new(_ml, null, models);
        AssertNamed(Assert.Throws<IOException>(() => tuner.Fit(LoadApp.SampleInput.Of(_ml, "pairs"))));
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
