using System.Diagnostics;
using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.Imaging;
using Dsd.Runs.Ledger;
using Dsd.Runs.RunApp;
using Dsd.Testing.Runs;

namespace Dsd.Runs.Tests;

public sealed class CurationRunTests : IDisposable
{
    private static readonly RunOptions Options = new() { Task = CurationTask.Load("character"), BatchSize = 3, Judges = 4 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ARun_WritesEveryStageAndCountsIt()
    {
        RunProgress done = await Run("run", 5);

        Assert.Equal((5, 5, 30), (done.Captions, done.Drawn, done.Judged));
        await using RunFolder folder = RunFolder.OpenToRead(_folder.File("run"));
        LedgerCounts counts = folder.Ledger.Counts();
        Assert.Equal(
            (5, 5, 5, 30, done.Kept, 0, 0), (counts.Captions, counts.Prompts, counts.Grids, counts.Pairs, counts.Kept, counts.Undecided, counts.Failures));
        Assert.InRange(done.Kept, 1, 29);
        Assert.Equal(7 * 30, Assert.Single(folder.Ledger.Usage()).InputTokens);
    }

    [Fact]
    public async Task ARunDoneBefore_IsNotDoneAgain()
    {
        await Run("run", 5);

        RunProgress again = await Run("run", 7);

        Assert.Equal((7, 2, 12), (again.Captions, again.Drawn, again.Judged));
    }

    [Fact]
    public async Task Grids_FollowFromTheirKeys_NotFromPlaceOrBatch()
    {
        await Run("forward", 6);
        await Run("backward", 6, Options with { BatchSize = 1, Judges = 1 }, captions => captions.Reverse());

        Assert.Equal(RunRows.Of(_folder.File("forward")), RunRows.Of(_folder.File("backward")));
    }

    [Fact]
    public async Task AGridThatIsGoneOrDamaged_IsDrawnAgain()
    {
        string file;
        string path = _folder.File("run");
        await Run("run", 2, judge: new FailingJudge(always: true), most: 1000);
        await using (RunFolder folder = RunFolder.OpenToRead(path))
        {
            file = Path.Combine(path, folder.Ledger.GridOf("c0~0")!.File);
        }
        byte[] before = File.ReadAllBytes(file);
        File.WriteAllText(file, "no picture");

        RunProgress again = await Run("run", 2);

        Assert.Equal((1, 12), (again.Drawn, again.Judged));
        Assert.Equal(before, File.ReadAllBytes(file));
    }

    [Fact]
    public async Task APieceThatFails_IsNotedAndLeftForTheNextRun()
    {
        FailingJudge judge = new(always: false);
        RunProgress first = await Run("run", 4, judge: judge);

        Assert.InRange(first.Failed, 1, 23);
        await using (RunFolder folder = RunFolder.OpenToRead(_folder.File("run")))
        {
            Assert.Equal(first.Failed, folder.Ledger.Counts().Failures);
            Assert.Contains("the server is down", folder.Ledger.Failures()[0].Message, StringComparison.Ordinal);
        }
        judge.Healed = true;
        RunProgress second = await Run("run", 4, judge: judge);

        Assert.Equal(first.Failed, second.Judged);
        await using RunFolder whole = RunFolder.OpenToRead(_folder.File("run"));
        Assert.Equal((24, 0), (whole.Ledger.Counts().Pairs, whole.Ledger.Counts().Failures));
    }

    [Fact]
    public async Task ManyFailuresInARow_EndTheRun() =>
        await Assert.ThrowsAsync<ChatFailedException>(() => Run("run", 50, judge: new FailingJudge(always: true), most: 5));

    [Fact]
    public async Task OtherOptions_AreRefusedByName()
    {
        await Run("run", 2);

        LedgerException error = await Assert.ThrowsAsync<LedgerException>(() => Run("run", 2, Options with { PromptsPerCaption = 2 }));

        Assert.Contains("prompts_per_caption was 1, is 2", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("cutting", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherCaptionUnderAKey_IsRefused()
    {
        await Run("run", 2);

        await Assert.ThrowsAsync<LedgerException>(() => Run("run", 1, captions: _ => [new SeedCaption("c0", "something else")]));
    }

    [Fact]
    public async Task TwoProcessesInOneFolder_AreRefused()
    {
        await using RunFolder first = RunFolder.Open(_folder.File("run"));

        Assert.Contains("another process", Assert.Throws<IOException>(() => RunFolder.Open(_folder.File("run"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACancelledRun_EndsAndGoesOnLater()
    {
        using CancellationTokenSource cancel = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run("run", 200, cancel: cancel.Token, progress: p =>
        {
            if (p.Judged >= 10)
            {
                cancel.Cancel();
            }
        }));
        long before;
        await using (RunFolder folder = RunFolder.OpenToRead(_folder.File("run")))
        {
            before = folder.Ledger.Counts().Pairs;
        }

        RunProgress rest = await Run("run", 200);

        Assert.Equal(1200, before + rest.Judged);
    }

    [Fact]
    public async Task CaptionsAreTakenOnlyAsThereIsRoom()
    {
        int taken = 0;
        int most = 0;
        await using RunFolder folder = RunFolder.Open(_folder.File("run"));
        CurationRun run = new(folder, Options with { Writers = 2 }, new TemplateGridPromptWriter(), new SeedTeacher(), new PixelJudge())
        {
            CaptionDone = (_, whole) =>
            {
                Assert.True(whole);
                lock (Options)
                {
                    most = Math.Max(most, Volatile.Read(ref taken));
                }
                Interlocked.Decrement(ref taken);
                return Task.CompletedTask;
            },
        };

        await run.RunAsync(Counted().ToAsyncEnumerable());

        Assert.Equal(0, taken);
        Assert.InRange(most, 1, 60);

        IEnumerable<SeedCaption> Counted()
        {
            for (int i = 0; i < 300; i++)
            {
                Interlocked.Increment(ref taken);
                yield return Caption(i);
            }
        }
    }

    [Fact]
    public async Task TheTeacher_GetsFullBatchesAndWaitsForNobody()
    {
        // Judging a batch takes as long as drawing one, and goes on beside it: a teacher that waited for it would be idle half of the time.
        TimeSpan takes = TimeSpan.FromMilliseconds(200);
        IdleTeacher teacher = new(takes);
        await using RunFolder folder = RunFolder.Open(_folder.File("run"));
        RunOptions options = Options with { BatchSize = 4, Judges = 96 };

        await new CurationRun(
            folder,
            options,
            new TemplateGridPromptWriter(),
            teacher,
            new ByteJudge(stop => Task.Delay(takes, stop))).RunAsync(Enumerable.Range(0, 60).Select(Caption).ToAsyncEnumerable());

        Assert.Equal(60, teacher.Batches.Sum());
        // The first batch takes what is there, and the last what is left.
        Assert.InRange(teacher.Batches.Count, 15, 17);
        Assert.True(teacher.Idle < 0.5 * teacher.Busy, $"The teacher was busy for {teacher.Busy} and waited for {teacher.Idle}.");
    }

    private async Task<RunProgress> Run(
        string name, int count, RunOptions? options =
            null, Func<IEnumerable<SeedCaption>, IEnumerable<SeedCaption>>? captions = null, IPairJudge? judge = null, int most = 50,
        CancellationToken cancel = default, Action<RunProgress>? progress = null)
    {
        await using RunFolder folder = RunFolder.Open(_folder.File(name));
        CurationRun run = new(
            folder, (options ?? Options) with { MostFailures = most }, new TemplateGridPromptWriter(), new SeedTeacher(), judge ?? new PixelJudge())
        {
            Progress = progress is null ? null : new Reported(progress),
        };
        IEnumerable<SeedCaption> all = Enumerable.Range(0, count).Select(Caption);
        return await run.RunAsync((captions?.Invoke(all) ?? all).ToAsyncEnumerable(), cancel);
    }

    private static SeedCaption Caption(int i) => new($"c{i}", $"a clay fox, number {i}");

    private sealed class Reported(Action<RunProgress> report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report(value);
    }

    /// <summary>Takes its time for a batch, and notes how long it had none.</summary>
    private sealed class IdleTeacher(TimeSpan takes) : IGridTeacher
    {
        private readonly SeededTeacher _teacher = new(takes);
        private long _ended;

        public string Name => "idle";

        public List<int> Batches { get; } = [];

        public TimeSpan Busy { get; private set; }

        public TimeSpan Idle { get; private set; }

        public IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken)
        {
            long start = Stopwatch.GetTimestamp();
            Idle += Batches.Count == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_ended, start);
            Batches.Add(grids.Count);
            IReadOnlyList<Picture> drawn = _teacher.Draw(grids, cancellationToken);
            _ended = Stopwatch.GetTimestamp();
            Busy += Stopwatch.GetElapsedTime(start, _ended);
            return drawn;
        }
    }

    /// <summary>Fails always, or at every third pair, until it is healed.</summary>
    private sealed class FailingJudge(bool always) : IPairJudge
    {
        private readonly PixelJudge _judge = new();
        private int _calls;

        public bool Healed { get; set; }

        public string Name => _judge.Name;

        public Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default) =>
            !Healed && (always || Interlocked.Increment(ref _calls) % 3 == 0)
                ? throw new ChatFailedException("the server is down", mayPass: true)
                : _judge.JudgeAsync(a, b, cancellationToken);
    }
}
