using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;

namespace Dsd.Runs.Tests;

/// <summary>Pairs that a gate keeps from the judge stand in the ledger with the reason, and are asked about no more.</summary>
public sealed class GatedRunTests : IDisposable
{
    private static readonly GateBounds Bounds = new() { Least = -0.5, Most = 0.5 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task GatedPairs_AreInTheLedger_AndNobodyIsAskedAgain()
    {
        ByteGate gate = new();
        int asked = 0;
        GatedJudge judge = new(gate, Bounds, new ByteJudge(_ =>
        {
            Interlocked.Increment(ref asked);
            return Task.CompletedTask;
        }));

        RunProgress done = await SampleRun.IntoAsync(_folder.File("run"), SampleRun.Captions(6), judge: judge);

        Assert.Equal(6 * 2 * 6, done.Judged);
        Assert.Equal(done.Judged, gate.Asked);
        await using (RunFolder folder = RunFolder.OpenToRead(_folder.File("run")))
        {
            LedgerPair[] pairs = [.. folder.Ledger.Pairs()];
            LedgerPair[] different = [.. pairs.Where(p => p.Judgement.Status == VerdictStatus.TooDifferent)];
            LedgerPair[] copies = [.. pairs.Where(p => p.Judgement.Status == VerdictStatus.NearCopy)];
            Assert.NotEmpty(different);
            Assert.NotEmpty(copies);
            Assert.All(different, p => Assert.Matches("^too different: similarity -[01].[0-9]{3} is below -0.5$", p.Judgement.Reason));
            Assert.All(copies, p => Assert.StartsWith("near copy: similarity", p.Judgement.Reason));
            Assert.All(different.Concat(copies), p => Assert.Equal(["bytes-gate"], folder.Ledger.VotesOf(p.Id).Select(v => v.Judge)));
            Assert.Equal(pairs.Length - different.Length - copies.Length, asked);
            LedgerCounts counts = folder.Ledger.Counts();
            Assert.Equal((different.Length, copies.Length, pairs.Length), (counts.TooDifferent, counts.NearCopies, counts.Pairs));
            LedgerOutcomes outcomes = folder.Ledger.Outcomes();
            Assert.Equal((counts.Kept, pairs.Length), (outcomes.Kept, outcomes.Pairs));
            IReadOnlyList<string> rejected = folder.Ledger.PairIds(new PairFilter { Outcome = JudgeOutcome.Rejected });
            Assert.Equal(outcomes.Rejected, rejected.Count);
            Assert.Superset(different.Concat(copies).Select(p => p.Id).ToHashSet(), rejected.ToHashSet());
            Assert.Equal(0L, folder.Ledger.Faults().Count);
        }

        int before = asked;
        RunProgress again = await SampleRun.IntoAsync(_folder.File("run"), SampleRun.Captions(6), judge: judge);
        Assert.Equal((0L, before, done.Judged), (again.Judged, asked, (long)gate.Asked));
    }

    [Fact]
    public async Task OtherBounds_AreAnotherRun()
    {
        await SampleRun.IntoAsync(_folder.File("run"), SampleRun.Captions(1), judge: new GatedJudge(new ByteGate(), Bounds, new ByteJudge()));
        LedgerException e = await Assert.ThrowsAsync<LedgerException>(() => SampleRun.IntoAsync(
            _folder.File("run"), SampleRun.Captions(1), judge: new GatedJudge(new ByteGate(), Bounds with { Most = 0.6 }, new ByteJudge())));
        Assert.Contains("bytes-gate[-0.5..0.6]", e.Message);
    }

    [Fact]
    public async Task ADatasetOfAllPairs_SaysWhatTheGateDid()
    {
        await SampleRun.IntoAsync(_folder.File("run"), SampleRun.Captions(6), judge: new GatedJudge(new ByteGate(), Bounds, new ByteJudge()));
        RunExport.Write(_folder.File("run"), _folder.File("pairs"), new DatasetWriteOptions { IncludeRejected = true });

        PairDataset dataset = PairDataset.Open(_folder.File("pairs"));
        string[] statuses = [.. dataset.Read().Select(r => r.Details.Status!).Distinct().Order()];
        Assert.Equal(["decided", "near_copy", "too_different", "undecided"], statuses);
    }

    /// <summary>A gate whose similarity follows from the pictures' bytes.</summary>
    private sealed class ByteGate : IPairGate
    {
        private int _asked;

        public int Asked => _asked;

        public string Name => "bytes-gate";

        public Task<double> SimilarityAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _asked);
            return Task.FromResult((a.Pixels[0] + b.Pixels[0]) % 201 / 100.0 - 1);
        }
    }
}
