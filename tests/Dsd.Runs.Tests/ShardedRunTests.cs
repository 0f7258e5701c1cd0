using System.Diagnostics;
using CsCheck;
using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;

namespace Dsd.Runs.Tests;

/// <summary>What is done in shards and merged is what one run does.</summary>
public sealed class ShardedRunTests : IDisposable
{
    private const int Count = 12;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Merge_OfAnyShardsInAnyOrder_IsTheRunOfTheWhole()
    {
        await SampleRun.IntoAsync(_folder.File("whole"), SampleRun.Captions(Count));
        IReadOnlyList<string> whole = RunRows.Of(_folder.File("whole"));
        int next = 0;
        // Shards of one count or of two at once, which overlap; each merged once or more; some first merged with each other.
        await Gen.Select(Gen.Int[1, 6], Gen.Int[0, 4], Gen.Int[0, 1_000_000]).SampleAsync(
            async (count, more, order) =>
            {
                string place = $"split{Interlocked.Increment(ref next)}";
                List<string> shards = [];
                foreach (Shard shard in Enumerable.Range(1, count).Select(i => new Shard(i, count))
                    .Concat(Enumerable.Range(1, more).Select(i => new Shard(i, more))))
                {
                    string path = _folder.File(place, $"shard{shards.Count}");
                    await SampleRun.IntoAsync(path, SampleRun.Captions(Count), SampleRun.Options with { Shard = shard });
                    shards.Add(path);
                }
                Random random = new(order);
                string[] merges = [.. shards, .. random.GetItems(shards.ToArray(), 2)];
                random.Shuffle(merges);
                await using (RunFolder merged = RunFolder.Open(_folder.File(place, "merged")))
                {
                    foreach (string shard in merges)
                    {
                        await merged.MergeAsync(shard);
                    }
                }
                Assert.Equal(whole, RunRows.Of(_folder.File(place, "merged")));
                Directory.Delete(_folder.File(place), recursive: true);
            },
            iter: 12,
            threads: 1);
    }

    [Fact]
    public async Task AMergedFolder_GoesOnAsARunOfTheWhole()
    {
        await SampleRun.IntoAsync(_folder.File("whole"), SampleRun.Captions(Count));
        await SampleRun.IntoAsync(_folder.File("part"), SampleRun.Captions(Count), SampleRun.Options with { Shard = new Shard(1, 2) });
        await MergeAsync("merged", "part");

        RunProgress done = await SampleRun.IntoAsync(_folder.File("merged"), SampleRun.Captions(Count));

        Assert.InRange(done.Drawn, 1, 2 * Count - 1);
        Assert.Equal(RunRows.Of(_folder.File("whole")), RunRows.Of(_folder.File("merged")));
    }

    [Fact]
    public async Task Merge_OfAFolderIntoItself_ChangesNothing()
    {
        await SampleRun.IntoAsync(_folder.File("a"), SampleRun.Captions(2));
        IReadOnlyList<string> before = RunRows.Of(_folder.File("a"));

        await MergeAsync("a", "a");

        Assert.Equal(before, RunRows.Of(_folder.File("a")));
    }

    [Fact]
    public async Task Merge_OfAnotherRun_IsRefusedAndLeavesNothing()
    {
        await SampleRun.IntoAsync(_folder.File("a"), SampleRun.Captions(2));
        await SampleRun.IntoAsync(_folder.File("b"), SampleRun.Captions(3), SampleRun.Options with { Seed = 6 });
        IReadOnlyList<string> before = RunRows.Of(_folder.File("a"));

        LedgerException refused = await Assert.ThrowsAsync<LedgerException>(() => MergeAsync("a", "b"));

        Assert.Contains("'run'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, RunRows.Of(_folder.File("a")));
    }

    [Fact]
    public async Task Merge_OfGridsThatDiffer_IsRefusedAndLeavesNothing()
    {
        await SampleRun.IntoAsync(_folder.File("a"), SampleRun.Captions(2));
        await SampleRun.IntoAsync(_folder.File("b"), SampleRun.Captions(3), teacher: new ShiftedTeacher());
        IReadOnlyList<string> before = RunRows.Of(_folder.File("a"));

        LedgerException refused = await Assert.ThrowsAsync<LedgerException>(() => MergeAsync("a", "b"));

        Assert.Contains("sha256", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, RunRows.Of(_folder.File("a")));
    }

    [Fact]
    public async Task Merge_OfAFolderThatARunWorksIn_IsRefused()
    {
        await using RunFolder busy = RunFolder.Open(_folder.File("busy"));

        IOException refused = await Assert.ThrowsAsync<IOException>(() => MergeAsync("a", "busy"));

        Assert.Contains("busy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_KilledAtAnyMoment_IsCompletedByTheNext()
    {
        await SampleRun.IntoAsync(_folder.File("whole"), SampleRun.Captions(60));
        IReadOnlyList<string> whole = RunRows.Of(_folder.File("whole"));
        Random random = new(11);
        int cut = 0;
        for (int i = 0; i < 8; i++)
        {
            int kill = random.Next(120);
            cut += await MergeInAProcessAsync("merged", "whole", TimeSpan.FromMilliseconds(kill)) ? 0 : 1;
            // Whatever moment it was, what stands there is whole.
            Assert.All(RunRows.Of(_folder.File("merged")).Where(row => !row.Contains(".part", StringComparison.Ordinal)), row => Assert.Contains(row, whole));
        }
        Assert.True(cut > 0, "No merge was cut off.");

        await MergeAsync("merged", "whole");

        Assert.Equal(whole, RunRows.Of(_folder.File("merged")));
    }

    private async Task MergeAsync(string into, string other)
    {
        await using RunFolder folder = RunFolder.Open(_folder.File(into));
        await folder.MergeAsync(_folder.File(other));
    }

    private async Task<bool> MergeInAProcessAsync(string into, string other, TimeSpan killAfter)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Dsd.Runs.RunApp.dll"), "merge", _folder.File(into), _folder.File(other)])
        {
            start.ArgumentList.Add(argument);
        }
        using Process process = Process.Start(start)!;
        Assert.Equal("merging", await process.StandardOutput.ReadLineAsync());
        await Task.Delay(killAfter);
        process.Kill();
        await process.WaitForExitAsync();
        return await process.StandardOutput.ReadLineAsync() == "done";
    }

    /// <summary>Goes by the same name and draws something else.</summary>
    private sealed class ShiftedTeacher : IGridTeacher
    {
        public string Name => "seeded";

        public IReadOnlyList<Imaging.Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken) =>
            new SeededTeacher().Draw([.. grids.Select(s => (s.Text, s.Seed + 1))], cancellationToken);
    }
}
