using System.Diagnostics;
using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tools.Serving;

namespace Dsd.Tools.Benchmark;

/// <summary>
/// Measures runs of curation: over HTTP with a server of fixed latency, the ledger alone, a single pair, the embedded judge, and memory over many
/// rows.
/// </summary>
internal sealed class CurationBenchmark(CurationBenchmarkOptions options, string folder, IProgress<string> progress)
{
    private const int LedgerWriters = 64;
    private const int Rounds = 5;
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(100);

    // Grids of two panels: as many pairs as grids.
    private static readonly RunOptions Run = new() { Task = CurationTask.Load("character"), Layout = GridLayout.OneByTwo, BatchSize = 16 };

    public async Task<CurationBenchmarkResult> MeasureAsync(CancellationToken cancel)
    {
        // Memory first: what the other parts leave behind would be counted.
        (double rowsPerS, long peak, long early, long late) = await RowsAsync(cancel);
        progress.Report(FormattableString.Invariant(
            $"{options.Rows} rows: {rowsPerS:0} a second, memory {early / 1e6:0} MB, then {late / 1e6:0} MB, at most {peak / 1e6:0} MB"));
        double writes = await LedgerAsync(cancel);
        progress.Report(FormattableString.Invariant($"ledger alone: {writes:0} judgements a second"));
        (double alone, double overhead) = await PairsAsync(cancel);
        progress.Report(FormattableString.Invariant($"a pair by itself: {alone:0.00} ms, {overhead:0.00} ms of processor time"));
        (double embedded, double own) = await EmbeddedAsync(Math.Min(200, options.Pairs), cancel);
        progress.Report(FormattableString.Invariant($"the embedded judge: {embedded:0.00} ms a pair, {own:0.00} of it its own"));
        (double achieved, double processor, LedgerCounts counts, LedgerUsage usage) = await OverHttpAsync(cancel);
        return new CurationBenchmarkResult
        {
            Concurrency = options.Concurrency,
            LatencyMs = options.Latency.TotalMilliseconds,
            IdealPerS = options.Concurrency / options.Latency.TotalSeconds,
            AchievedPerS = achieved,
            LedgerWritesPerS = writes,
            PeakRssBytes = peak,
            OverheadMsPerPair = overhead,
            RunMsPerPair = processor,
            AloneMsPerPair = alone,
            EmbeddedJudgeMsPerPair = embedded,
            EmbeddedOverheadMsPerPair = embedded - own,
            Pairs = options.Pairs,
            PanelSize = options.PanelSize,
            Rows = options.Rows,
            RowsPerS = rowsPerS,
            EarlyRssBytes = early,
            LateRssBytes = late,
            Kept = counts.Kept,
            InputTokens = usage.InputTokens,
            OutputTokens = usage.OutputTokens,
        };
    }

    /// <summary>A whole run, judged over HTTP by a server in a process of its own.</summary>
    private async Task<(double PerSecond, double ProcessorMs, LedgerCounts Counts, LedgerUsage Usage)> OverHttpAsync(CancellationToken cancel)
    {
        using ChatServerProcess server = await ChatServerProcess.StartAsync(options.Latency, cancel);
        using LimitedChatClient client = Client(server);
        PairJudge judge = new(client);
        WorldGrids grids = new(options.PanelSize);
        // Connections and code are there before the clock runs.
        Picture[] panels = [.. PanelCutter.Cut(grids.Of(0), GridLayout.OneByTwo)];
        await Task.WhenAll(Enumerable.Range(0, options.Concurrency).Select(_ => judge.JudgeAsync(panels[0], panels[1], cancel)));
        await using RunFolder store = RunFolder.Open(Path.Combine(folder, "http"));
        CurationRun run = new(store, Run with { Judges = options.Concurrency }, new TemplateGridPromptWriter(), grids, judge);
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        await run.RunAsync(Captions(options.Pairs), cancel);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        processor = Environment.CpuUsage.TotalTime - processor;
        LedgerCounts counts = store.Ledger.Counts();
        return counts.Pairs == options.Pairs && counts.Failures == 0
            ? (options.Pairs / took.TotalSeconds, processor.TotalMilliseconds / options.Pairs, counts, store.Ledger.Usage()[0])
            : throw new InvalidOperationException(
                $"The run over HTTP judged {counts.Pairs} of {options.Pairs} pairs, and {counts.Failures} pieces of it failed: "
                    + $"{store.Ledger.Failures(1).FirstOrDefault().Message}");
    }

    /// <summary>Pairs by themselves: cut, encoded, sent, answered at once, read, and written to the ledger.</summary>
    /// <returns>What one takes by the clock, one after the other, and of this process's processor time, many at once.</returns>
    private async Task<(double ClockMs, double ProcessorMs)> PairsAsync(CancellationToken cancel)
    {
        int count = Math.Min(2000, options.Pairs);
        using ChatServerProcess server = await ChatServerProcess.StartAsync(TimeSpan.Zero, cancel);
        using LimitedChatClient client = Client(server);
        PairJudge judge = new(client);
        WorldGrids grids = new(options.PanelSize);
        await using RunLedger ledger = RunLedger.Open(Path.Combine(folder, "pairs.db"));

        async Task<(double ClockMs, double ProcessorMs)> Round(string name, int atOnce, int pairs)
        {
            long start = Stopwatch.GetTimestamp();
            TimeSpan processor = Environment.CpuUsage.TotalTime;
            await Parallel.ForEachAsync(
                Enumerable.Range(0, pairs), new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancel }, async (i, stop) =>
            {
                IReadOnlyList<Picture> panels = PanelCutter.Cut(grids.Of(i), GridLayout.OneByTwo);
                PairJudgement judgement = await judge.JudgeAsync(panels[0], panels[1], stop);
                await ledger.WritePairAsync(new LedgerPair($"{name}{i}~0-1", $"{name}{i}", 0, 1, judgement));
            });
            return (Stopwatch.GetElapsedTime(start).TotalMilliseconds / pairs, (Environment.CpuUsage.TotalTime - processor).TotalMilliseconds / pairs);
        }

        // Connections are there before the clock runs. Code is compiled anew in the background for some seconds, which a run of days does not notice:
        // hence the median of several rounds.
        await Round("warm", options.Concurrency, count);
        List<double> processorMs = [];
        for (int round = 0; round < Rounds; round++)
        {
            processorMs.Add((await Round($"many{round}-", options.Concurrency, count)).ProcessorMs);
        }
        processorMs.Sort();
        (double clockMs, _) = await Round("one", 1, Math.Max(1, count / 4));
        return (clockMs, processorMs[Rounds / 2]);
    }

    /// <summary>A question to the embedded judge in this process, and what of it the judge itself takes.</summary>
    private static async Task<(double WholeMs, double OwnMs)> EmbeddedAsync(int count, CancellationToken cancel)
    {
        const int Warm = 20;
        using TimedChatClient timed = new(TinyJudge.Load(TinyModel.JudgeFolder));
        PairJudge judge = new(timed);
        WorldGrids grids = new(TinyModel.PanelSize);
        (long start, TimeSpan before) = (0, TimeSpan.Zero);
        for (int i = 0; i < Warm + count; i++)
        {
            if (i == Warm)
            {
                (start, before) = (Stopwatch.GetTimestamp(), timed.Time);
            }
            IReadOnlyList<Picture> panels = PanelCutter.Cut(grids.Of(i), GridLayout.OneByTwo);
            await judge.JudgeAsync(panels[0], panels[1], cancel);
        }
        return (Stopwatch.GetElapsedTime(start).TotalMilliseconds / count, (timed.Time - before).TotalMilliseconds / count);
    }

    /// <summary>Judgements from many writers, each of which waits for its own to be written before the next.</summary>
    private async Task<double> LedgerAsync(CancellationToken cancel)
    {
        int each = Math.Min(400, options.Pairs);
        await using RunLedger ledger = RunLedger.Open(Path.Combine(folder, "writes.db"));
        PairJudgement judgement = OneVerdict.Judgement("judge");
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, LedgerWriters).Select(writer => Task.Run(
            async () =>
            {
                for (int i = 0; i < each && !cancel.IsCancellationRequested; i++)
                {
                    await ledger.WritePairAsync(new LedgerPair($"w{writer}-{i}~0~0-1", $"w{writer}-{i}~0", 0, 1, judgement));
                }
            },
            cancel)));
        cancel.ThrowIfCancellationRequested();
        return LedgerWriters * each / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>A run over many rows with tiny grids and a judge that takes no time, and the memory that it has at each moment.</summary>
    private async Task<(double PerSecond, long Peak, long Early, long Late)> RowsAsync(CancellationToken cancel)
    {
        await using RunFolder store = RunFolder.Open(Path.Combine(folder, "rows"));
        RunProgress now = new(0, 0, 0, 0, 0);
        CurationRun run = new(
            store, Run with { Judges = 16 }, new TemplateGridPromptWriter(), new WorldGrids(16), new OneVerdict())
        { Progress = new Latest(p => now = p) };
        List<(long Rows, long Bytes)> samples = [];
        long start = Stopwatch.GetTimestamp();
        Task<RunProgress> running = run.RunAsync(Captions(options.Rows), cancel);
        while (!running.IsCompleted)
        {
            samples.Add((Volatile.Read(ref now).Judged, Environment.WorkingSet));
            await Task.WhenAny(running, Task.Delay(Sample, cancel));
        }
        await running;
        double took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long Mean(double from, double to) =>
            (long)samples.Where(s => s.Rows >= from * options.Rows && s.Rows <= to * options.Rows).Select(s => s.Bytes)
                .DefaultIfEmpty(samples[^1].Bytes).Average();
        return (options.Rows / took, samples.Max(s => s.Bytes), Mean(0.25, 0.5), Mean(0.75, 1));
    }

    private LimitedChatClient Client(ChatServerProcess server) =>
        new(new ChatEndpoint(server.Address, "stub").CreateClient(), new ChatLimits { Concurrency = options.Concurrency });

    private static async IAsyncEnumerable<SeedCaption> Captions(int count)
    {
        await Task.Yield();
        for (int i = 0; i < count; i++)
        {
            yield return new SeedCaption($"c{i}", $"a small creature, number {i}");
        }
    }

    private sealed class Latest(Action<RunProgress> set) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => set(value);
    }
}
