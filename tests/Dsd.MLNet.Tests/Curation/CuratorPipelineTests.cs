using System.Diagnostics;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Fakes;
using Dsd.Models.Sampling;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Curation;

/// <summary>Grids are judged at the same time, and drawn meanwhile.</summary>
public sealed class CuratorPipelineTests
{
    private static readonly GridGeneratorOptions OneByOne = new()
    {
        Layout = GridLayout.OneByTwo,
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 1 },
        Templates = GridTemplates.Default,
        BatchSize = 1,
    };

    private readonly MLContext _ml = new(1);

    [Fact]
    public void GridsOfOnePair_AreJudgedTogether()
    {
        Meeting meeting = new(12);
        AnsweringClient client = new(_ => true) { Before = meeting.Join };
        // None is answered before all twelve are asked: one after another they would never be.
        PairRow[] rows = Curate(client, Grids(12), concurrency: 16);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"caption {i}"), rows.Select(r => r.Caption));
    }

    [Fact]
    public void NoMorePairsAreAskedAboutAtOnceThanAllowed()
    {
        (int now, int most) = (0, 0);
        AnsweringClient client = new(_ => true)
        {
            Before = async cancel =>
            {
                int here = Interlocked.Increment(ref now);
                InterlockedMax(ref most, here);
                await Task.Delay(10, cancel);
                Interlocked.Decrement(ref now);
            },
        };
        Curate(client, Grids(20), concurrency: 3);
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public void RowsKeepTheirOrderWhicheverIsJudgedFirst()
    {
        AnsweringClient client = new(_ => true) { Before = cancel => Task.Delay(Random.Shared.Next(30), cancel) };
        PairRow[] rows = Curate(client, Grids(30), concurrency: 8);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"caption {i}"), rows.Select(r => r.Caption));
    }

    [Fact]
    public void TheNextGridsAreDrawnWhileTheFirstAreJudged()
    {
        using ManualResetEventSlim drawn = new();
        AnsweringClient client = new(_ => true)
        {
            // The first grid's judge waits until the second grid is being drawn.
            Before = cancel => Task.Run(() => Assert.True(drawn.Wait(TimeSpan.FromSeconds(30), cancel)), cancel),
        };
        IDataView captions = Views.Captions(_ml, "a fox", "a cat", "a dog");
        int batches = 0;
        PaintingTeacher counting = new()
        {
            While = _ =>
            {
                if (Interlocked.Increment(ref batches) == 2)
                {
                    drawn.Set();
                }
            },
        };
        using GridGeneratorTransformer generator = new GridGenerator(_ml, OneByOne, new PaintedModels { Teacher = counting }).Fit(captions);
        IDataView grids = generator.Transform(captions);
        using VlmCuratorTransformer curator = new VlmCurator(_ml, new VlmCuratorOptions { ChatClient = client, Pairs = PairChoice.Unordered }).Fit(grids);
        Assert.Equal(3, Views.Column(curator.Transform(grids), "Kept").Length);
    }

    [Fact]
    public void AFailure_ComesAtItsOwnRow()
    {
        int asked = 0;
        AnsweringClient client = new(_ => true)
        {
            // The third question of a judge that asks one by one is the third grid's.
            Before = _ => Interlocked.Increment(ref asked) == 3 ? throw new HttpRequestException("no route") : Task.CompletedTask,
        };
        IDataView grids = Grids(6);
        using VlmCuratorTransformer curator = Curator(client, 1).Fit(grids);
        IDataView view = curator.Transform(grids);
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Assert.True(cursor.MoveNext());
        Assert.True(cursor.MoveNext());
        DsdRowException e = Assert.Throws<DsdRowException>(() => cursor.MoveNext());
        Assert.Equal((2, "Kept"), (e.Row, e.Column));
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void AFailureOfTheSource_ComesAfterTheRowsBeforeIt()
    {
        IDataView captions = Views.Captions(_ml, "a fox", "a cat", " ");
        using GridGeneratorTransformer generator = new GridGenerator(_ml, OneByOne, new PaintedModels()).Fit(captions);
        IDataView grids = generator.Transform(captions);
        VlmCuratorOptions unordered = new() { ChatClient = new AnsweringClient(_ => true), Pairs = PairChoice.Unordered };
        using VlmCuratorTransformer curator = new VlmCurator(_ml, unordered).Fit(grids);
        using DataViewRowCursor cursor = curator.Transform(grids).GetRowCursor([]);
        Assert.True(cursor.MoveNext());
        Assert.True(cursor.MoveNext());
        DsdRowException e = Assert.Throws<DsdRowException>(() => cursor.MoveNext());
        Assert.Equal((2, "Caption"), (e.Row, e.Column));
    }

    [Fact]
    public void NoMoreGridsAreHeldThanSet()
    {
        AnsweringClient client = new(_ => true);
        IDataView grids = Grids(100);
        using VlmCuratorTransformer curator = Curator(client, 2).Fit(grids);
        using DataViewRowCursor cursor = curator.Transform(grids).GetRowCursor([]);
        Assert.True(cursor.MoveNext());
        Assert.True(SpinWait.SpinUntil(() => client.Asked == 6, TimeSpan.FromSeconds(30)), $"{client.Asked}");
        Thread.Sleep(300);
        // Two that may be judged at once and four that wait to be read.
        Assert.Equal(6, client.Asked);
    }

    [Fact]
    public async Task ACursorThatIsLeft_StopsJudgingAndDrawing()
    {
        using ManualResetEventSlim drawing = new();
        AnsweringClient client = new(_ => true) { Before = cancel => Task.Delay(Timeout.Infinite, cancel) };
        IDataView captions = Views.Captions(_ml, "a fox", "a cat");
        PaintingTeacher teacher = new()
        {
            While = cancel =>
            {
                drawing.Set();
                cancel.WaitHandle.WaitOne(TimeSpan.FromSeconds(30));
            },
        };
        using GridGeneratorTransformer generator = new GridGenerator(_ml, OneByOne, new PaintedModels { Teacher = teacher }).Fit(captions);
        IDataView grids = generator.Transform(captions);
        using VlmCuratorTransformer curator = new VlmCurator(_ml, new VlmCuratorOptions { ChatClient = client }).Fit(grids);
        DataViewRowCursor cursor = curator.Transform(grids).GetRowCursor([]);
        Task<bool> move = Task.Run(() => cursor.MoveNext());
        Assert.True(drawing.Wait(TimeSpan.FromSeconds(30)));
        Stopwatch watch = Stopwatch.StartNew();
        cursor.Dispose();
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
        Assert.Same(move, await Task.WhenAny(move, Task.Delay(TimeSpan.FromSeconds(10))));
        Assert.True(move.IsFaulted || !await move);
    }

    [Fact]
    public void Progress_ComesInOrder()
    {
        List<CurationProgress> seen = [];
        AnsweringClient client = new(_ => true) { Before = cancel => Task.Delay(Random.Shared.Next(10), cancel) };
        IDataView grids = Grids(10);
        using VlmCuratorTransformer curator = new VlmCurator(
            _ml,
            new VlmCuratorOptions { ChatClient = client, Layout = GridLayout.OneByTwo, Pairs = PairChoice.Unordered, Progress = new Direct(seen) }).Fit(grids);
        Views.Column(curator.Transform(grids), "Kept");
        Assert.Equal(Enumerable.Range(1, 10).Select(i => new CurationProgress(i, i, i)), seen);
    }

    [Fact]
    public void Dispose_EndsAViewThatIsReadAndAsksNobodyAgain()
    {
        int made = 0;
        AnsweringClient client = new(_ => true);
        ChatClients.Register("after-dispose", () =>
        {
            made++;
            return client;
        });
        IDataView grids = Grids(50);
        VlmCuratorTransformer unused = new VlmCurator(_ml, new VlmCuratorOptions { Judge = "after-dispose", Layout = GridLayout.OneByTwo }).Fit(grids);
        unused.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Views.Column(unused.Transform(grids), "Kept"));
        Assert.Equal((0, 0), (made, client.Asked));

        VlmCuratorTransformer used = new VlmCurator(
            _ml,
            new VlmCuratorOptions { Judge = "after-dispose", Layout = GridLayout.OneByTwo, Judging = new PairJudgeOptions { Concurrency = 1 } }).Fit(grids);
        using DataViewRowCursor cursor = used.Transform(grids).GetRowCursor([]);
        Assert.True(cursor.MoveNext());
        used.Dispose();
        // Grids that were read ahead are judged beside; the client goes with the last that is being asked about.
        Assert.True(SpinWait.SpinUntil(() => client.Disposed, TimeSpan.FromSeconds(30)));
        int asked = client.Asked;
        Assert.Throws<ObjectDisposedException>(() =>
        {
            while (cursor.MoveNext())
            {
            }
        });
        Assert.Equal((1, asked), (made, client.Asked));
    }

    [Fact]
    public void Dispose_LeavesACallersClientUnaskedToo()
    {
        AnsweringClient client = new(_ => true);
        IDataView grids = Grids(2);
        VlmCuratorTransformer curator = Curator(client, 4).Fit(grids);
        curator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Views.Column(curator.Transform(grids), "Kept"));
        Assert.Equal((0, false), (client.Asked, client.Disposed));
    }

    private VlmCurator Curator(AnsweringClient client, int concurrency) => new(
        _ml,
        new VlmCuratorOptions
        {
            ChatClient = client,
            Layout = GridLayout.OneByTwo,
            Pairs = PairChoice.Unordered,
            Judging = new PairJudgeOptions { Concurrency = concurrency },
        });

    private PairRow[] Curate(AnsweringClient client, IDataView grids, int concurrency)
    {
        using VlmCuratorTransformer curator = Curator(client, concurrency).Fit(grids);
        return [.. _ml.Data.CreateEnumerable<PairRow>(curator.Transform(grids), reuseRowObject: false)];
    }

    private IDataView Grids(int count) => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new GridRow
    {
        Caption = $"caption {i}",
        PanelCaptions = ["panel 0", "panel 1"],
        Grid = MLImages.FromPicture(PaintingTeacher.Paint("grid", i, 64, 32)),
    }).ToArray());

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = Volatile.Read(ref most); value > seen && Interlocked.CompareExchange(ref most, value, seen) != seen; seen = Volatile.Read(ref most))
        {
        }
    }

    private sealed class Direct(List<CurationProgress> seen) : IProgress<CurationProgress>
    {
        public void Report(CurationProgress value) => seen.Add(value);
    }

    /// <summary>Lets nobody go before so many are there.</summary>
    private sealed class Meeting(int people)
    {
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _here;

        public Task Join(CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _here) == people)
            {
                _all.SetResult();
            }
            return _all.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        }
    }
}
