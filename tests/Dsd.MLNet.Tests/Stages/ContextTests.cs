using System.Text.RegularExpressions;
using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Running;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Testing;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>What a context says where an option is left open: GPU, folder for temporary files, seed.</summary>
public sealed class ContextTests : IDisposable
{
    private static readonly GridGeneratorOptions Grids = new()
    {
        Model = "painted",
        Layout = GridLayout.OneByTwo,
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 },
    };

    private static readonly DsdGeneratorOptions Pictures = new() { Model = "painted", Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1 } };
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheContextsGpu_IsTaken_WhereTheOptionIsLeftOpen()
    {
        _ml.GpuDeviceId = 1;
        PaintedModels models = new() { Gpus = 2 };
        Draw(models);
        Assert.Equal(["cuda:1", "cuda:1", "cuda:1", "cuda:1"], models.Devices);
    }

    [Fact]
    public void TheOption_GoesBeforeTheContext()
    {
        _ml.GpuDeviceId = 1;
        PaintedModels models = new() { Gpus = 2 };
        using GridGeneratorTransformer fitted = new GridGenerator(_ml, Grids with { Device = "cpu" }, models).Fit(Views.Captions(_ml, "a fox"));
        Views.Column(fitted.Transform(Views.Captions(_ml, "a fox")), "Grid");
        Assert.Equal(["cpu"], models.Devices);
    }

    [Fact]
    public void WithoutTheGpu_ItIsAnErrorBeforeARowIsRead()
    {
        _ml.GpuDeviceId = 1;
        PaintedModels models = new() { Gpus = 1 };
        ArgumentException e = Assert.Throws<ArgumentException>(
            () => new GridGenerator(_ml, Grids, models).GetOutputSchema(ColumnCheck.ShapeOf(Views.Captions(_ml, "a fox").Schema)));
        Assert.Contains("MLContext.GpuDeviceId is 1", e.Message, StringComparison.Ordinal);
        Assert.Contains("FallbackToCpu", e.Message, StringComparison.Ordinal);
        Assert.Empty(models.Devices);
    }

    [Fact]
    public void WithoutTheGpu_TheProcessorTakesItsPlaceWhereTheContextSaysSo_WithAWarning()
    {
        (_ml.GpuDeviceId, _ml.FallbackToCpu) = (0, true);
        LogLines log = new(_ml);
        PaintedModels models = new();
        Draw(models);
        // ONNX Runtime falls back by itself.
        Assert.Equal(["cpu", "cpu", "cuda:0,cpu", "cpu"], models.Devices);
        Assert.Equal(3, log.Warnings.Count(w => w.Contains("MLContext.GpuDeviceId is 0", StringComparison.Ordinal)));
    }

    [Fact]
    public void WithoutAGpuInTheContext_TheProcessorComputes()
    {
        PaintedModels models = new() { Gpus = 4 };
        Draw(models);
        Assert.Equal(["cpu", "cpu", "cpu", "cpu"], models.Devices);
    }

    [Fact]
    public void ThisMachine_HasNoHundredthGpu() => Assert.False(StageModels.Real.HasGpu(100));

    [Fact]
    public void ALoadedModel_TakesTheGpuOfItsOwnContext()
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        using GridGeneratorTransformer fitted = new GridGenerator(_ml, Grids with { Model = OwnFixtures.TinyFlux }).Fit(captions);
        _ml.Model.Save(fitted, captions.Schema, _folder.File("model.zip"));
        MLContext other = new() { GpuDeviceId = 99 };
        using GridGeneratorTransformer loaded = (GridGeneratorTransformer)other.Model.Load(_folder.File("model.zip"), out _);
        Assert.Null(loaded.Options.Device);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(loaded.Transform(captions), "Grid"));
        Assert.Contains("MLContext.GpuDeviceId is 99", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheContextsSeed_IsTaken_WhereTheOptionIsLeftOpen()
    {
        string[] Drawn(MLContext ml, long? seed)
        {
            using GridGeneratorTransformer fitted = new GridGenerator(ml, Grids with { Seed = seed }, new PaintedModels()).Fit(Views.Captions(ml, "a fox"));
            return Views.Column(fitted.Transform(Views.Captions(ml, "a fox")), "Grid");
        }
        string[] five = Drawn(_ml, 5);
        Assert.Equal(five, Drawn(new MLContext(5), null));
        Assert.Equal(five, Drawn(new MLContext(6), 5));
        Assert.NotEqual(five, Drawn(new MLContext(6), null));
        Assert.Equal(Drawn(_ml, 0), Drawn(_ml, null));
    }

    [Fact]
    public void TheSeed_IsSavedWithTheFittedStage()
    {
        MLContext five = new(5);
        IDataView captions = Views.Captions(five, "a fox");
        using GridGeneratorTransformer fitted = new GridGenerator(five, Grids with { Model = OwnFixtures.TinyFlux }).Fit(captions);
        five.Model.Save(fitted, captions.Schema, _folder.File("model.zip"));
        using GridGeneratorTransformer loaded = (GridGeneratorTransformer)new MLContext(6).Model.Load(_folder.File("model.zip"), out _);
        Assert.Equal(5, loaded.Options.Seed);
    }

    [Fact]
    public void TheContextsSeed_IsThatOfTraining_UnlessOneIsGiven()
    {
        long Seed(MLContext ml, LoraTrainingOptions? training)
        {
            LoraFineTunerOptions options = new() { Model = OwnFixtures.TinyFlux, Training = training };
            return new LoraFineTuner(ml, options, new PaintedModels()).Fit(Views.Pairs(ml, true)).Options.Training?.Seed ?? -1;
        }
        Assert.Equal(5, Seed(new MLContext(5), null));
        Assert.Equal(5, Seed(new MLContext(5), new LoraTrainingOptions { Steps = 3 }));
        Assert.Equal(0, Seed(new MLContext(5), new LoraTrainingOptions { Seed = 0 }));
        Assert.Equal(-1, Seed(new MLContext(), null));
    }

    [Fact]
    public void ScratchFiles_LieBelowTheContextsFolder()
    {
        _ml.TempFilePath = _folder.Path;
        List<string> seen = [];
        PaintedModels models = new()
        {
            Training = _ =>
            {
                seen.AddRange(Directory.GetDirectories(_folder.Path).Select(d => Path.GetFileName(d)!));
                return new LoraWeights([1]);
            },
        };
        _ = new LoraFineTuner(_ml, null, models).Fit(Views.Pairs(_ml, true));
        Assert.StartsWith("dsd-rows-", Assert.Single(seen), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder.Path));
        using (DsdGeneratorTransformer generator = new DsdGenerator(_ml, Pictures, models).Fit(Views.References(_ml, 1)))
        {
            Assert.StartsWith(_folder.File("dsd-onnx-"), Assert.Single(models.Exports), StringComparison.Ordinal);
        }
        Assert.Empty(Directory.GetDirectories(_folder.Path));
    }

    [Fact]
    public void AMissingFolderForScratchFiles_IsNamedBeforeARowIsRead()
    {
        _ml.TempFilePath = _folder.File("nowhere");
        IDataView pairs = SampleInput.Of(_ml, "pairs");
        IOException e = Assert.Throws<IOException>(() => new LoraFineTuner(_ml).GetOutputSchema(ColumnCheck.ShapeOf(pairs.Schema)));
        Assert.Contains(_folder.File("nowhere"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheLog_TellsRowsAndSeconds()
    {
        LogLines log = new(_ml);
        PaintedModels models = new();
        IDataView references = Views.References(_ml, 3);
        using DsdGeneratorTransformer fitted = new DsdGenerator(_ml, Pictures with { BatchSize = 2 }, models).Fit(references);
        Views.Column(fitted.Transform(references), "Generated");
        Assert.Matches("^Computed 3 rows in [0-9.]+ s, [0-9.]+ s a row[.]$", Assert.Single(log.Infos, l => l.StartsWith("Computed", StringComparison.Ordinal)));
        _ = new LoraFineTuner(_ml, null, models).Fit(Views.Pairs(_ml, true, false, true));
        Assert.Contains(log.Infos, l => Regex.IsMatch(l, "^Read 3 rows in [0-9.]+ s: 2 to train on, 0 held out, 1 not kept[.]$"));
    }

    /// <summary>A teacher, a student with either backend, and training.</summary>
    private void Draw(PaintedModels models)
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        using GridGeneratorTransformer grids = new GridGenerator(_ml, Grids, models).Fit(captions);
        Views.Column(grids.Transform(captions), "Grid");
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer torch = new DsdGenerator(_ml, Pictures with { Backend = new TorchGeneration() }, models).Fit(references);
        using DsdGeneratorTransformer onnx = new DsdGenerator(_ml, Pictures, models).Fit(references);
        Views.Column(onnx.Transform(references), "Generated");
        _ = new LoraFineTuner(_ml, null, models).Fit(Views.Pairs(_ml, true));
    }
}
