using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>Several pictures a row.</summary>
public sealed class CountTests
{
    private static readonly DsdGeneratorOptions Pictures = new()
    {
        Model = "painted",
        Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1 },
        BatchSize = 4,
        Count = 3,
    };

    private readonly MLContext _ml = new(1);
    private readonly PaintedModels _models = new();

    [Fact]
    public void EachRow_GivesSoMany_NumberedAndWithSeedsInARow()
    {
        IDataView references = Views.References(_ml, 2);
        using DsdGeneratorTransformer fitted = Fit(Pictures, references);
        IDataView view = fitted.Transform(references);
        Assert.Equal(6, view.GetRowCount());
        Assert.Equal(["0", "1", "2", "0", "1", "2"], Views.Column(view, "Number"));
        Assert.Equal(["prompt 0", "prompt 0", "prompt 0", "prompt 1", "prompt 1", "prompt 1"], Views.Column(view, "Prompt"));
        Assert.Equal(6, Views.Column(view, "Generated").Distinct().Count());
        long[] seeds = [.. _models.Opened.Single().Batches.SelectMany(b => b).Select(r => r.Seed)];
        Assert.Equal([seeds[0], seeds[0] + 1, seeds[0] + 2, seeds[3], seeds[3] + 1, seeds[3] + 2], seeds);
    }

    [Fact]
    public void TheNth_IsTheSameHoweverManyAreAskedFor()
    {
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer one = Fit(Pictures with { Count = 1 }, references);
        using DsdGeneratorTransformer three = Fit(Pictures, references);
        string[] drawn = Views.Column(three.Transform(references), "Generated");
        Assert.Equal(Views.Column(one.Transform(references), "Generated"), drawn[..1]);
        using DsdGeneratorTransformer five = three.With(Pictures with { Count = 5 });
        Assert.Equal(drawn, Views.Column(five.Transform(references), "Generated")[..3]);
    }

    [Fact]
    public void TheEstimator_PromisesTheNumber_AndPredictionEngineRefuses()
    {
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer fitted = Fit(Pictures, references);
        SchemaShape promised = new DsdGenerator(_ml, Pictures, _models).GetOutputSchema(ColumnCheck.ShapeOf(references.Schema));
        Assert.Equal(
            ColumnCheck.ShapeOf(fitted.GetOutputSchema(references.Schema)).Select(c => $"{c.Name} {c.ItemType}").Order(),
            promised.Select(c => $"{c.Name} {c.ItemType}").Order());
        Assert.False(fitted.IsRowToRowMapper);
        Assert.Contains(
            "gives 3 rows", Assert.Throws<InvalidOperationException>(() => fitted.GetRowToRowMapper(references.Schema)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Grids_ComeSoManyACaption_AndAreJudged()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        GridGeneratorOptions options = new()
        {
            Model = "painted",
            Layout = GridLayout.OneByTwo,
            Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 },
            Count = 2,
            NumberColumn = "GridNumber",
        };
        using GridGeneratorTransformer fitted = new GridGenerator(_ml, options, _models).Fit(captions);
        IDataView grids = fitted.Transform(captions);
        Assert.Equal(4, Views.Column(grids, "Grid").Distinct().Count());
        using VlmCuratorTransformer curator = new VlmCurator(_ml, new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true) }).Fit(grids);
        Assert.Equal(["0", "0", "1", "1", "0", "0", "1", "1"], Views.Column(curator.Transform(grids), "GridNumber"));
    }

    [Fact]
    public void OptionsThatContradictEachOther_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Pictures with { Count = 0 });
        Assert.Contains(
            "'Generated'", Assert.Throws<ArgumentException>(() => Fit(Pictures with { NumberColumn = "Generated" }, Views.References(_ml, 1))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void With_MovesAFittedStage()
    {
        IDataView references = Views.References(_ml, 1);
        using DsdGeneratorTransformer fitted = Fit(Pictures with { Count = 1 }, references);
        using DsdGeneratorTransformer moved = fitted.With(fitted.Options with { Device = "cuda:3", Backend = new TorchGeneration() });
        Assert.Equal(Views.Column(fitted.Transform(references), "Generated"), Views.Column(moved.Transform(references), "Generated"));
        Assert.Equal(["cpu", "cuda:3"], _models.Devices);
        Assert.Same(fitted.Adapter, moved.Adapter);
        Assert.Throws<ArgumentNullException>(() => fitted.With(null!));
    }

    private DsdGeneratorTransformer Fit(DsdGeneratorOptions options, IDataView input) => new DsdGenerator(_ml, options, _models).Fit(input);
}
