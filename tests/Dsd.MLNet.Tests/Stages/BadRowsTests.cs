using Dsd.Curation.Grids;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Evaluation;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>Rows that a stage cannot compute because of what they hold.</summary>
public sealed class BadRowsTests
{
    private static readonly DsdGeneratorOptions Pictures = new()
    {
        Model = "painted",
        Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 1 },
        BatchSize = 2,
    };

    private readonly MLContext _ml = new(1);
    private readonly PaintedModels _models = new();

    public BadRowsTests() => ColumnTypes.Register();

    [Fact]
    public void Fail_EndsThePass()
    {
        IDataView rows = Rows("a", "", "c");
        using DsdGeneratorTransformer fitted = Fit(Pictures, rows);
        Assert.Equal((1, "Prompt"), Where(Assert.Throws<DsdRowException>(() => Views.Column(fitted.Transform(rows), "Generated"))));
        Assert.DoesNotContain(fitted.Transform(rows).Schema, c => c.Name == "Error");
    }

    [Fact]
    public void Mark_SaysWhatIsWrong_AndDrawsTheOthers()
    {
        IDataView rows = Rows("a", "", "c");
        using DsdGeneratorTransformer fitted = Fit(Pictures with { BadRows = BadRows.Mark }, rows);
        Result[] results = [.. _ml.Data.CreateEnumerable<Result>(fitted.Transform(rows), reuseRowObject: false)];
        Assert.Equal([true, false, true], results.Select(r => r.Generated is not null));
        Assert.Equal(["", "Row 1, column 'Prompt': expected a prompt, found an empty text.", ""], results.Select(r => r.Error));
        Assert.Equal(2, _models.Opened.Sum(o => o.Batches.Sum(b => b.Count)));
    }

    [Fact]
    public void Mark_GoesOnThroughTheStagesBehind()
    {
        IDataView rows = Rows("a", "", "c");
        using DsdGeneratorTransformer fitted = Fit(Pictures with { BadRows = BadRows.Mark }, rows);
        ImageEmbeddingOptions options = new()
        {
            Encoder = TestEncoders.Folder("dino"),
            ImageColumn = "Generated",
            BadRows = BadRows.Mark,
            ErrorColumn = "EmbeddingError",
        };
        IDataView drawn = fitted.Transform(rows);
        using ImageEmbeddingTransformer embedding = new ImageEmbedding(_ml, options).Fit(drawn);
        IDataView embedded = embedding.Transform(drawn);
        Assert.Equal([false, true, false], Views.Column(embedded, "Embedding").Select(e => e.Split('|').All(n => n == "NaN")));
        Assert.Equal([true, false, true], Views.Column(embedded, "EmbeddingError").Select(e => e.Length == 0));
        ImagePixelsOptions pixels = new() { Encoder = TestEncoders.Folder("dino"), ImageColumn = "Generated", BadRows = BadRows.Skip };
        using ImagePixelsTransformer scaled = new ImagePixels(_ml, pixels).Fit(drawn);
        Assert.Equal(2, Views.Column(scaled.Transform(drawn), "pixel_values").Length);
    }

    [Theory]
    [InlineData("Generated")]
    [InlineData("Prompt")]
    public void Skip_LeavesThemOut_WhicheverColumnIsRead_AndSaysHowMany(string column)
    {
        IDataView rows = Rows("a", "", "c", " ");
        LogLines log = new(_ml);
        using DsdGeneratorTransformer fitted = Fit(Pictures with { BadRows = BadRows.Skip }, rows);
        IDataView view = fitted.Transform(rows);
        Assert.Null(view.GetRowCount());
        Assert.Equal(2, Views.Column(view, column).Length);
        string warning = Assert.Single(log.Warnings);
        Assert.StartsWith("2 of 4 rows were left out. The first was row 1: ", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Skip_NumbersItsRowsWithoutGaps()
    {
        IDataView rows = Rows("", "b", "", "d");
        using DsdGeneratorTransformer fitted = Fit(Pictures with { BadRows = BadRows.Skip }, rows);
        IDataView view = fitted.Transform(rows);
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Func<string> prompt = Views.Reader(cursor, view.Schema["Prompt"]);
        List<(long, string)> seen = [];
        while (cursor.MoveNext())
        {
            seen.Add((cursor.Position, prompt()));
        }
        Assert.Equal([(0, "b"), (1, "d")], seen);
    }

    [Fact]
    public void Skip_IsRefusedByPredictionEngine_AndWithMakesItOneToOne()
    {
        IDataView rows = Rows("a");
        using DsdGeneratorTransformer fitted = Fit(Pictures with { BadRows = BadRows.Skip }, rows);
        Assert.False(fitted.IsRowToRowMapper);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => fitted.GetRowToRowMapper(rows.Schema));
        Assert.Contains("leaves out bad rows", e.Message, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => _ml.Model.CreatePredictionEngine<Input, Result>(fitted, new PredictionEngineOptions { OwnsTransformer = false }));
        using DsdGeneratorTransformer marking = fitted.With(fitted.Options with { BadRows = BadRows.Mark });
        using PredictionEngine<Input, Result> engine = _ml.Model.CreatePredictionEngine<Input, Result>(
            marking, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.Contains("empty text", engine.Predict(new Input { Reference = Views.Image(1) }).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ValuesOfTheStageAbove_ThatCannotBeRead_AreTheRows()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder.File("fox"));
        File.WriteAllBytes(folder.File("fox", "a.png"), Views.Picture(1).EncodePng());
        File.WriteAllText(folder.File("fox", "b.png"), "no picture");
        IDataView pairs = _ml.Data.LoadSubjects(folder.Path);
        using DsdGeneratorTransformer fitted = Fit(Pictures with { BadRows = BadRows.Skip, ReferenceColumn = "Target" }, pairs);
        Assert.Equal(["fox/a.png"], Views.Column(fitted.Transform(pairs), "TargetPath"));
    }

    [Fact]
    public void TheWorkOfAStage_FailsWhateverIsAsked()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        PaintedModels broken = new() { Teacher = new PaintingTeacher { While = _ => throw new InvalidOperationException("no memory") } };
        GridGeneratorOptions options = new()
        {
            Model = "painted",
            Layout = GridLayout.OneByTwo,
            Sampling = new TextToImageOptions { Width = 64, Height = 32 },
            BadRows = BadRows.Skip,
        };
        using GridGeneratorTransformer grids = new GridGenerator(_ml, options, broken).Fit(captions);
        Assert.Throws<DsdRowException>(() => Views.Column(grids.Transform(captions), "Grid"));
        ImagePixelsOptions behind = new() { Encoder = TestEncoders.Folder("dino"), ImageColumn = "Grid", BadRows = BadRows.Skip };
        using ImagePixelsTransformer pixels = new ImagePixels(_ml, behind).Fit(grids.Transform(captions));
        Assert.Throws<DsdRowException>(() => Views.Column(pixels.Transform(grids.Transform(captions)), "pixel_values"));
    }

    [Fact]
    public void TheEstimator_PromisesTheColumn()
    {
        SchemaShape shape = new DsdGenerator(_ml, Pictures with { BadRows = BadRows.Mark, ErrorColumn = "Wrong" }, _models)
            .GetOutputSchema(ColumnCheck.ShapeOf(Rows("a").Schema));
        Assert.Contains(shape, c => c.Name == "Wrong" && c.ItemType is TextDataViewType);
        ArgumentException e = Assert.Throws<ArgumentException>(
            () => new DsdGenerator(_ml, Pictures with { BadRows = BadRows.Mark, ErrorColumn = "Generated" }, _models).Fit(Rows("a")));
        Assert.Contains("'Generated'", e.Message, StringComparison.Ordinal);
    }

    private static (long, string) Where(DsdRowException e) => (e.Row, e.Column);

    private IDataView Rows(params string[] prompts) =>
        _ml.Data.LoadFromEnumerable(prompts.Select((p, i) => new Input { Reference = Views.Image(i), Prompt = p }).ToArray());

    private DsdGeneratorTransformer Fit(DsdGeneratorOptions options, IDataView input) => new DsdGenerator(_ml, options, _models).Fit(input);

    private sealed class Input
    {
        public MLImage? Reference { get; set; }

        public string Prompt { get; set; } = "";
    }

    private sealed class Result
    {
        public MLImage? Generated { get; set; }

        public string Error { get; set; } = "";
    }
}
