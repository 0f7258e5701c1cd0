using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Curation;

public sealed class VlmCuratorTests
{
    private static readonly PairJudgeOptions OneByOne = new() { Concurrency = 1 };

    private readonly MLContext _ml = new(1);
    private readonly AnsweringClient _client = new(number => number % 2 == 0);

    [Fact]
    public void Transform_GivesTwoRowsForEachKeptPair()
    {
        // Four panels a grid make six pairs, of which every other one is kept.
        PairRow[] rows = Curate(new VlmCuratorOptions { ChatClient = _client, Judging = OneByOne }, Grids(1));
        Assert.Equal(6, rows.Length);
        Assert.Equal(6, _client.Asked);
    }

    [Fact]
    public void Transform_GivesOneRowForEachKeptPairInOneDirection() =>
        Assert.Equal(3, Curate(new VlmCuratorOptions { ChatClient = _client, Judging = OneByOne, Pairs = PairChoice.Unordered }, Grids(1)).Length);

    [Fact]
    public void Transform_PairsTheFirstPanelWithTheRestWhenAsked()
    {
        AnsweringClient all = new(_ => true);

        PairRow[] rows = Curate(new VlmCuratorOptions { ChatClient = all, Pairs = PairChoice.FirstToRest }, Grids(1));

        Assert.Equal(["panel 1", "panel 2", "panel 3"], rows.Select(r => r.Prompt));
        Assert.Equal(3, all.Asked);
    }

    [Fact]
    public void Transform_AsksSeveralJudges()
    {
        VotingJudge judges = new(
            [
                new PairJudge(new AnsweringClient(_ => true), new PairJudgeOptions { Name = "kind" }),
                new PairJudge(new AnsweringClient(_ => false), new PairJudgeOptions { Name = "strict" }),
            ],
            VotingRule.Unanimous);

        PairRow[] rows = Curate(new VlmCuratorOptions { PairJudge = judges, IncludeRejected = true, Pairs = PairChoice.Unordered }, Grids(1));

        Assert.All(rows, r => Assert.False(r.Kept));
        Assert.All(rows, r => Assert.StartsWith("1 of 2 judges keep it", r.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void TwoJudges_AreRefused() => Assert.Throws<ArgumentException>(() => Fit(
        new VlmCuratorOptions { ChatClient = _client, PairJudge = new PairJudge(_client) }, Grids(1)));

    [Fact]
    public void Transform_GivesRejectedPairsTooWhenAsked()
    {
        PairRow[] rows = Curate(
            new VlmCuratorOptions { ChatClient = _client, Judging = OneByOne, IncludeRejected = true, Pairs = PairChoice.Unordered }, Grids(1));
        Assert.Equal([true, false, true, false, true, false], rows.Select(r => r.Kept));
        Assert.All(rows, r => Assert.Equal(r.Kept ? "the same subject (0.90): a fox" : "not the same subject (0.90): the scarf", r.Reason));
    }

    [Fact]
    public void Transform_DropsGridsWithoutAKeptPair() =>
        Assert.Empty(Curate(new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => false) }, Grids(2)));

    [Fact]
    public void Transform_PassesTheGridsColumnsThrough()
    {
        PairRow[] rows = Curate(new VlmCuratorOptions { ChatClient = _client, Judging = OneByOne }, Grids(2));
        Assert.Equal(Enumerable.Repeat("caption 0", 6).Concat(Enumerable.Repeat("caption 1", 6)), rows.Select(r => r.Caption));
    }

    [Fact]
    public void Transform_TakesThePromptFromTheTargetsPanel()
    {
        PairRow[] rows = Curate(new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true) }, Grids(1));
        // Pairs (0, 1), (0, 2) … in both directions.
        Assert.Equal(["panel 1", "panel 0", "panel 2", "panel 0"], rows.Take(4).Select(r => r.Prompt));
    }

    [Fact]
    public void Transform_CutsReferenceAndTargetFromTheirPanels()
    {
        PairRow row = Curate(new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true), Pairs = PairChoice.Unordered }, Grids(1))[0];
        Assert.Equal((32, 16), (row.Reference!.Width, row.Reference.Height));
        Assert.Equal((32, 16), (row.Target!.Width, row.Target.Height));
    }

    [Fact]
    public void Transform_UsesTheCaptionWhereThereAreNoPanelCaptions()
    {
        IDataView grids = _ml.Transforms.DropColumns("PanelCaptions").Fit(Grids(1)).Transform(Grids(1));
        PairRow[] rows = Curate(new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true) }, grids);
        Assert.All(rows, r => Assert.Equal("caption 0", r.Prompt));
    }

    [Fact]
    public void Transform_GivesEveryRowAnIdOfItsOwn()
    {
        IDataView view = Fit(new VlmCuratorOptions { ChatClient = new AnsweringClient(_ => true) }, Grids(3)).Transform(Grids(3));
        using DataViewRowCursor cursor = view.GetRowCursor([]);
        ValueGetter<DataViewRowId> get = cursor.GetIdGetter();
        List<DataViewRowId> ids = [];
        while (cursor.MoveNext())
        {
            DataViewRowId id = default;
            get(ref id);
            ids.Add(id);
        }
        Assert.Equal(36, ids.Distinct().Count());
    }

    [Fact]
    public void Transform_JudgesNothingUntilARowIsRead()
    {
        IDataView view = Fit(new VlmCuratorOptions { ChatClient = _client }, Grids(1)).Transform(Grids(1));
        Assert.Null(view.GetRowCount());
        Assert.Equal(0, _client.Asked);
    }

    [Fact]
    public void Transform_NamesTheGridThatTheJudgeFailedOn()
    {
        AnsweringClient broken = new(_ => true) { Before = _ => throw new HttpRequestException("no route") };
        DsdRowException e = Assert.Throws<DsdRowException>(() => Curate(new VlmCuratorOptions { ChatClient = broken }, Grids(1)));
        Assert.Equal("Row 0, column 'Kept': no route", e.Message);
        Assert.IsType<HttpRequestException>(e.InnerException);
    }

    [Fact]
    public void Transform_NamesTheGridAtWhichItWasCancelled()
    {
        using CancellationTokenSource source = new();
        AnsweringClient slow = new(_ => true)
        {
            Before = cancel =>
            {
                source.Cancel();
                return Task.Delay(TimeSpan.FromSeconds(10), cancel);
            },
        };
        VlmCuratorOptions options = new() { ChatClient = slow, CancellationToken = source.Token };
        DsdRowCanceledException e = Assert.Throws<DsdRowCanceledException>(() => Curate(options, Grids(1)));
        Assert.Equal((0, "Kept"), (e.Row, e.Column));
    }

    [Fact]
    public void Transform_NamesAGridWithTheWrongNumberOfCaptions()
    {
        VlmCuratorOptions options = new() { ChatClient = _client, Layout = GridLayout.OneByTwo };
        DsdRowException e = Assert.Throws<DsdRowException>(() => Curate(options, Grids(1)));
        Assert.Equal("Row 0, column 'PanelCaptions': expected 2 texts, one for each panel of a 1x2 grid, found 4.", e.Message);
    }

    [Fact]
    public void Fit_SaysWhatToSetWhenNothingTellsTheLayout()
    {
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => new VlmCurator(_ml).Fit(Grids(1)));
        Assert.Contains("Set the option Layout", e.Message);
    }

    [Fact]
    public void Fit_RefusesAJudgeThatNobodyRegistered()
    {
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => Fit(new VlmCuratorOptions { Judge = "nobody" }, Grids(1)));
        Assert.StartsWith("No chat client is registered as 'nobody'", e.Message);
    }

    [Fact]
    public void Save_RefusesAClientAndSaysHowToNameIt()
    {
        VlmCuratorTransformer fitted = Fit(new VlmCuratorOptions { ChatClient = _client }, Grids(1));
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => _ml.Model.Save(fitted, Grids(1).Schema, Stream.Null));
        Assert.Contains("ChatClients.Register", e.Message);
    }

    [Fact]
    public void Transform_UsesTheClientRegisteredUnderTheName()
    {
        AnsweringClient named = new(_ => true);
        ChatClients.Register("curator-tests", () => named);
        using (VlmCuratorTransformer fitted = Fit(new VlmCuratorOptions { Judge = "curator-tests" }, Grids(1)))
        {
            Views.Column(fitted.Transform(Grids(1)), "Kept");
        }
        Assert.Equal(6, named.Asked);
        Assert.True(named.Disposed);
    }

    [Fact]
    public void Dispose_LeavesTheCallersClientAlone()
    {
        Fit(new VlmCuratorOptions { ChatClient = _client }, Grids(1)).Dispose();
        Assert.False(_client.Disposed);
    }

    private VlmCuratorTransformer Fit(VlmCuratorOptions options, IDataView grids) =>
        new VlmCurator(_ml, options.Layout is null ? options with { Layout = GridLayout.TwoByTwo } : options).Fit(grids);

    private PairRow[] Curate(VlmCuratorOptions options, IDataView grids) =>
        [.. _ml.Data.CreateEnumerable<PairRow>(Fit(options, grids).Transform(grids), reuseRowObject: false)];

    private IDataView Grids(int count) => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new GridRow
    {
        Caption = $"caption {i}",
        PanelCaptions = ["panel 0", "panel 1", "panel 2", "panel 3"],
        Grid = MLImages.FromPicture(PaintingTeacher.Paint("grid", i, 64, 32)),
    }).ToArray());
}
