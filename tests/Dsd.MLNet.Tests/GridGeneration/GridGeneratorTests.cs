using Dsd.Curation.Grids;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.GridGeneration;

public sealed class GridGeneratorTests
{
    private static readonly GridGeneratorOptions Small = new()
    {
        Layout = GridLayout.OneByTwo,
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 },
        Templates = GridTemplates.Default,
        BatchSize = 2,
    };

    private readonly MLContext _ml = new(1);
    private readonly PaintingTeacher _teacher = new();

    [Fact]
    public void Transform_DrawsNothingUntilAGridIsRead()
    {
        IDataView view = Grids(Small, Views.Captions(_ml, "a fox", "a cat"));
        Views.Column(view, "GridPrompt");
        Views.Column(view, "PanelCaptions");
        Views.Column(view, "Caption");
        Assert.Empty(_teacher.Batches);
    }

    [Fact]
    public void Transform_DrawsABatchAtATime()
    {
        Views.Column(Grids(Small, Views.Captions(_ml, "a fox", "a cat", "a dog")), "Grid");
        Assert.Equal([2, 1], _teacher.Batches.Select(b => b.Count));
    }

    [Fact]
    public void Transform_DrawsOnlyTheBatchThatIsRead()
    {
        IDataView view = Grids(Small, Views.Captions(_ml, "a fox", "a cat", "a dog", "a hen"));
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Grid"]]);
        Func<string> read = Views.Reader(cursor, view.Schema["Grid"]);
        cursor.MoveNext();
        read();
        read();
        cursor.MoveNext();
        read();
        Assert.Single(_teacher.Batches);
    }

    [Fact]
    public void Transform_GivesTheSameGridsWhateverTheBatch()
    {
        IDataView input = Views.Captions(_ml, "a fox", "a cat", "a dog");
        Assert.Equal(Views.Column(Grids(Small with { BatchSize = 1 }, input), "Grid"), Views.Column(Grids(Small with { BatchSize = 3 }, input), "Grid"));
    }

    [Fact]
    public void Transform_GivesACaptionTheSameGridWhereverItStands() =>
        Assert.Equal(
            Views.Column(Grids(Small, Views.Captions(_ml, "a fox", "a cat")), "Grid")[1],
            Views.Column(Grids(Small, Views.Captions(_ml, "a cat")), "Grid")[0]);

    [Fact]
    public void Transform_GivesAnotherSeedOtherGrids() =>
        Assert.NotEqual(
            Views.Column(Grids(Small, Views.Captions(_ml, "a fox")), "Grid"),
            Views.Column(Grids(Small with { Seed = 2 }, Views.Captions(_ml, "a fox")), "Grid"));

    [Fact]
    public void Transform_TellsTheSameCaptionApartByTheSeedColumn()
    {
        NumberedCaptionRow[] rows = [new() { Caption = "a fox", Number = 1 }, new() { Caption = "a fox", Number = 2 }];
        IDataView input = _ml.Data.LoadFromEnumerable(rows);
        string[] grids = Views.Column(Grids(Small with { SeedColumn = "Number" }, input), "Grid");
        Assert.NotEqual(grids[0], grids[1]);
    }

    [Fact]
    public void Transform_PassesOtherColumnsThroughWhileReadingAhead()
    {
        IDataView view = Grids(Small with { BatchSize = 3 }, Views.Captions(_ml, "a fox", "a cat", "a dog", "a hen"));
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Func<string> caption = Views.Reader(cursor, view.Schema["Caption"]);
        Func<string> grid = Views.Reader(cursor, view.Schema["Grid"]);
        List<string> seen = [];
        while (cursor.MoveNext())
        {
            seen.Add($"{cursor.Position} {caption()}");
            grid();
        }
        Assert.Equal(["0 a fox", "1 a cat", "2 a dog", "3 a hen"], seen);
    }

    [Fact]
    public void Transform_WritesOneCaptionForEachPanel()
    {
        GridRow row = _ml.Data.CreateEnumerable<GridRow>(Grids(Small, Views.Captions(_ml, "a fox")), reuseRowObject: false).Single();
        Assert.Equal(2, row.PanelCaptions.Length);
        Assert.All(row.PanelCaptions, c => Assert.Contains("a fox", c));
    }

    [Fact]
    public void CreateEnumerable_GivesEachRowItsOwnImage()
    {
        GridRow[] rows = [.. _ml.Data.CreateEnumerable<GridRow>(Grids(Small, Views.Captions(_ml, "a fox", "a cat", "a dog")), reuseRowObject: false)];
        Assert.Equal(3, rows.Select(r => Convert.ToHexString(r.Grid!.Pixels)).Distinct().Count());
    }

    [Fact]
    public void Transform_NamesTheRowOfAnEmptyCaption()
    {
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(Grids(Small, Views.Captions(_ml, "a fox", " ")), "Grid"));
        Assert.Equal((1, "Caption"), (e.Row, e.Column));
        Assert.Equal("Row 1, column 'Caption': expected a caption, found an empty text.", e.Message);
    }

    [Fact]
    public void Transform_NamesTheRowsThatTheModelFailedOn()
    {
        PaintingTeacher failing = new() { While = _ => throw new InvalidOperationException("no memory") };
        GridGeneratorTransformer fitted = new GridGenerator(_ml, Small, new PaintedModels { Teacher = failing }).Fit(Views.Captions(_ml, "a"));
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(fitted.Transform(Views.Captions(_ml, "a", "b")), "Grid"));
        Assert.Equal("Rows 0 to 1 (computed together), column 'Grid': no memory", e.Message);
    }

    [Fact]
    public void Transform_StopsWhenTheContextIsCancelled()
    {
        // The context is asked ten times a second; a second is plenty.
        PaintingTeacher slow = new()
        {
            While = cancel =>
            {
                Views.Cancel(_ml);
                Assert.True(cancel.WaitHandle.WaitOne(TimeSpan.FromSeconds(10)));
            },
        };
        GridGeneratorTransformer fitted = new GridGenerator(_ml, Small, new PaintedModels { Teacher = slow }).Fit(Views.Captions(_ml, "a"));
        DsdRowCanceledException e = Assert.Throws<DsdRowCanceledException>(() => Views.Column(fitted.Transform(Views.Captions(_ml, "a")), "Grid"));
        Assert.Equal((0, "Grid"), (e.Row, e.Column));
    }

    [Fact]
    public void Constructor_RefusesAGridThatCannotBeCutEvenly()
    {
        GridGeneratorOptions uneven = new() { Layout = GridLayout.ThreeByThree, Sampling = new TextToImageOptions { Width = 64, Height = 64 } };
        ArgumentException e = Assert.Throws<ArgumentException>(() => new GridGenerator(_ml, uneven));
        Assert.Contains("64 × 64", e.Message);
    }

    private IDataView Grids(GridGeneratorOptions options, IDataView input) =>
        new GridGenerator(_ml, options, new PaintedModels { Teacher = _teacher }).Fit(input).Transform(input);
}
