using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Curation;

/// <summary>Grids that a curator cannot judge because of what their rows hold: the second has no caption for each panel, the third no picture.</summary>
public sealed class CuratorBadRowsTests
{
    private const string WrongCaptions = "Row 1, column 'PanelCaptions': expected 2 texts, one for each panel of a 1x2 grid, found 1.";

    private readonly MLContext _ml = new(1);
    private readonly AnsweringClient _client = new(_ => true);

    [Fact]
    public void Fail_EndsThePass_AndNamesTheGrid()
    {
        using VlmCuratorTransformer fitted = Fit(BadRows.Fail);
        DsdRowException e = Assert.Throws<DsdRowException>(() => Views.Column(fitted.Transform(Grids()), "Kept"));
        Assert.Equal(WrongCaptions, e.Message);
    }

    [Fact]
    public void Mark_GivesABadGridOneRow()
    {
        using VlmCuratorTransformer fitted = Fit(BadRows.Mark);
        Row[] rows = [.. _ml.Data.CreateEnumerable<Row>(fitted.Transform(Grids()), reuseRowObject: false)];
        Assert.Equal(["good", "captions", "none", "also good"], rows.Select(r => r.Caption));
        Assert.Equal([true, false, false, true], rows.Select(r => r.Kept));
        Assert.Equal([true, false, false, true], rows.Select(r => r.Reference is not null && r.Target is not null));
        Assert.Equal([false, true, true, false], rows.Select(r => float.IsNaN(r.Confidence)));
        Assert.Equal(["right", "", "", "right"], rows.Select(r => r.Prompt));
        Assert.Equal([true, false, false, true], rows.Select(r => r.Reason.Length > 0));
        Assert.Equal(["", WrongCaptions, ""], rows.Where(r => r.Caption != "none").Select(r => r.Error));
        Assert.StartsWith("Row 2, column 'Grid': ", rows[2].Error, StringComparison.Ordinal);
        Assert.Equal(2, _client.Asked);
    }

    [Fact]
    public void Skip_LeavesThemOut_AndSaysHowMany()
    {
        LogLines log = new(_ml);
        using VlmCuratorTransformer fitted = Fit(BadRows.Skip);
        Assert.Equal(["good", "also good"], Views.Column(fitted.Transform(Grids()), "Caption"));
        Assert.Equal($"2 of 4 grids were left out. The first was row 1: {WrongCaptions}", Assert.Single(log.Warnings));
        Assert.StartsWith("Judged 2 pairs of 4 grids, 2 kept, in ", Assert.Single(log.Infos), StringComparison.Ordinal);
    }

    [Fact]
    public void AGridThatIsTooSmallForItsPanels_IsABadRow()
    {
        // 16 pixels are enough for a picture, but not for three panels of 8 side by side.
        IDataView grids = Load(("good", 64, ["left", "middle", "right"]), ("small", 16, ["left", "middle", "right"]));
        VlmCuratorOptions options = Options(BadRows.Mark) with { Layout = new GridLayout(1, 3), Pairs = PairChoice.FirstToRest };
        using VlmCuratorTransformer marking = new VlmCurator(_ml, options).Fit(grids);
        Assert.Equal(
            ["", "", "Row 1, column 'Grid': A grid of 16 × 16 pixels is too small for 1x3 panels: each needs at least 8 × 8 pixels."],
            Views.Column(marking.Transform(grids), "Error"));
        using VlmCuratorTransformer failing = new VlmCurator(_ml, options with { BadRows = BadRows.Fail }).Fit(grids);
        Assert.Equal("Grid", Assert.Throws<DsdRowException>(() => Views.Column(failing.Transform(grids), "Kept")).Column);
    }

    [Fact]
    public void AGridThatTheStageAboveCannotGive_IsABadRow_AndItsWorkIsNot()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.File("good.png"), PaintingTeacher.Paint("grid", 0, 64, 32).EncodePng());
        File.WriteAllText(folder.File("bad.png"), "no picture");
        IDataView files = _ml.Data.LoadFromEnumerable(new[] { "good.png", "bad.png" }.Select(f => new FileRow { File = f, Caption = f }));
        IDataView grids = _ml.Transforms.LoadImages("Grid", folder.Path, "File").Fit(files).Transform(files);
        using VlmCuratorTransformer skipping = Fit(BadRows.Skip);
        Assert.Equal(["good.png"], Views.Column(skipping.Transform(grids), "Caption"));
        using VlmCuratorTransformer marking = Fit(BadRows.Mark);
        Assert.Equal([true, false], Views.Column(marking.Transform(grids), "Error").Select(e => e.Length == 0));

        AnsweringClient silent = new(_ => true) { Before = _ => throw new HttpRequestException("no network") };
        using VlmCuratorTransformer deaf = new VlmCurator(_ml, Options(BadRows.Skip) with { ChatClient = silent }).Fit(grids);
        Assert.Contains("no network", Assert.Throws<DsdRowException>(() => Views.Column(deaf.Transform(grids), "Caption")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheErrorsColumn_IsPromised_AndMustBeItsOwn()
    {
        VlmCuratorOptions options = Options(BadRows.Mark) with { ErrorColumn = "Wrong" };
        SchemaShape shape = new VlmCurator(_ml, options).GetOutputSchema(ColumnCheck.ShapeOf(Grids().Schema));
        Assert.Contains(shape, c => c.Name == "Wrong" && c.ItemType is TextDataViewType);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new VlmCurator(_ml, options with { ErrorColumn = "Kept" }));
        Assert.Contains("'Kept'", refused.Message, StringComparison.Ordinal);
    }

    private VlmCuratorOptions Options(BadRows bad) => new()
    {
        ChatClient = _client,
        Layout = GridLayout.OneByTwo,
        Pairs = PairChoice.Unordered,
        BadRows = bad,
        Judging = new PairJudgeOptions { Concurrency = 1 },
    };

    private VlmCuratorTransformer Fit(BadRows bad) => new VlmCurator(_ml, Options(bad)).Fit(Grids());

    private IDataView Grids() => Load(
        ("good", 64, ["left", "right"]), ("captions", 64, ["left"]), ("none", 0, ["left", "right"]), ("also good", 64, ["left", "right"]));

    private IDataView Load(params (string Caption, int Side, string[] Panels)[] grids) => _ml.Data.LoadFromEnumerable(grids.Select(g => new Grid
    {
        Caption = g.Caption,
        PanelCaptions = g.Panels,
        Picture = g.Side == 0 ? null : MLImages.FromPicture(PaintingTeacher.Paint("grid", 1, g.Side, g.Side)),
    }).ToArray());

    private sealed class Grid
    {
        public string Caption { get; set; } = "";

        public string[] PanelCaptions { get; set; } = [];

        [ColumnName("Grid")]
        public MLImage? Picture { get; set; }
    }

    private sealed class FileRow
    {
        public string File { get; set; } = "";

        public string Caption { get; set; } = "";
    }

    private sealed class Row
    {
        public string Caption { get; set; } = "";

        public MLImage? Reference { get; set; }

        public MLImage? Target { get; set; }

        public string Prompt { get; set; } = "";

        public bool Kept { get; set; }

        public float Confidence { get; set; }

        public string Reason { get; set; } = "";

        public string Error { get; set; } = "";
    }
}
