using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests;

public sealed class ChainTests
{
    private readonly MLContext _ml = new(1);
    private readonly PaintingTeacher _teacher = new();
    private readonly PaintedModels _models;
    private int _trained;

    public ChainTests() => _models = new PaintedModels
    {
        Teacher = _teacher,
        Training = pairs =>
        {
            _trained = pairs.Count;
            return new LoraWeights([1, 2, 3]);
        },
    };

    [Fact]
    public void Fit_RunsAllFourStagesOnCaptions()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        using TransformerChain<DsdGeneratorTransformer> fitted = Chain(TransformerScope.Everything).Fit(captions);
        // One pair a grid, in both directions.
        Assert.Equal(4, _trained);
        GeneratedRow[] rows = [.. _ml.Data.CreateEnumerable<GeneratedRow>(fitted.Transform(captions), reuseRowObject: false)];
        Assert.Equal(4, rows.Length);
        Assert.All(rows, r => Assert.Equal((32, 32), (r.Generated!.Width, r.Generated.Height)));
    }

    [Fact]
    public void Fit_DrawsEveryGridOnce()
    {
        using TransformerChain<DsdGeneratorTransformer> fitted = Chain(TransformerScope.Everything).Fit(Views.Captions(_ml, "a fox", "a cat"));
        Assert.Equal(2, _teacher.Batches.Sum(b => b.Count));
    }

    [Fact]
    public void GetOutputSchema_PromisesWhatTransformGives()
    {
        IDataView captions = Views.Captions(_ml, "a fox");
        EstimatorChain<DsdGeneratorTransformer> chain = Chain(TransformerScope.Everything);
        SchemaShape promised = chain.GetOutputSchema(ColumnCheck.ShapeOf(captions.Schema));
        using TransformerChain<DsdGeneratorTransformer> fitted = chain.Fit(captions);
        SchemaShape given = ColumnCheck.ShapeOf(fitted.GetOutputSchema(captions.Schema));
        Assert.Equal(given.Select(c => $"{c.Name} {c.Kind} {c.ItemType}").Order(), promised.Select(c => $"{c.Name} {c.Kind} {c.ItemType}").Order());
        Assert.Contains(promised, c => c.Name == "Reference" && c.ItemType.ToString() == "Image<32, 32>");
    }

    [Fact]
    public void Fit_RefusesATypoInTheLastStageBeforeAnythingIsDrawn()
    {
        EstimatorChain<DsdGeneratorTransformer> chain = new EstimatorChain<ITransformer>()
            .Append(Grids())
            .Append(new VlmCurator(_ml, new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true) }))
            .Append(new LoraFineTuner(_ml, null, new PaintedModels()))
            .Append(new DsdGenerator(_ml, new DsdGeneratorOptions { Model = "FLUX.1-dve", AdapterColumn = null, LoraFile = "x.safetensors" }));
        DirectoryNotFoundException e = Assert.Throws<DirectoryNotFoundException>(() => chain.Fit(Views.Captions(_ml, "a fox")));
        Assert.Contains("'FLUX.1-dve'", e.Message);
        Assert.Empty(_teacher.Batches);
    }

    [Fact]
    public void GetModelFor_ScoringDrawsFromReferencesAlone()
    {
        using TransformerChain<DsdGeneratorTransformer> fitted = Chain(TransformerScope.TrainTest).Fit(Views.Captions(_ml, "a fox"));
        TransformerChain<ITransformer> scoring = fitted.GetModelFor(TransformerScope.Scoring);
        using PredictionEngine<ReferenceRow, GeneratedRow> engine = _ml.Model.CreatePredictionEngine<ReferenceRow, GeneratedRow>(
            scoring, new PredictionEngineOptions { OwnsTransformer = false });
        using MLImage generated = engine.Predict(new ReferenceRow { Reference = Views.Image(1), Prompt = "on the moon" }).Generated!;
        Assert.Equal(32, generated.Width);
    }

    [Fact]
    public void Dispose_ReleasesTheModelsOfEveryStage()
    {
        TransformerChain<DsdGeneratorTransformer> fitted = Chain(TransformerScope.Everything).Fit(Views.Captions(_ml, "a fox"));
        fitted.Dispose();
        Assert.True(_teacher.Disposed);
    }

    [Fact]
    public void Fit_NamesTheGridOfAFailureUpstream()
    {
        EstimatorChain<DsdGeneratorTransformer> chain = Chain(TransformerScope.Everything);
        DsdRowException e = Assert.Throws<DsdRowException>(() => chain.Fit(Views.Captions(_ml, "a fox", "")));
        Assert.Equal((1, "Caption"), (e.Row, e.Column));
    }

    private EstimatorChain<DsdGeneratorTransformer> Chain(TransformerScope training) =>
        new EstimatorChain<ITransformer>()
            .Append(
                Grids(),
                training)
            .Append(new VlmCurator(_ml, new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true) }), training)
            .Append(
                new LoraFineTuner(_ml, null, _models),
                training)
            .Append(new DsdGenerator(_ml, new DsdGeneratorOptions { Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1 } }, _models));

    private GridGenerator Grids() =>
        new(_ml, new GridGeneratorOptions { Layout = GridLayout.OneByTwo, Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 } }, _models);
}
