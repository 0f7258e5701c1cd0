using Dsd.Curation.Judging;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Curation.Http.Tests;

/// <summary>Pairs of the small world, and what the embedded judge says of each when it is asked directly.</summary>
public sealed class WorldPairs : IDisposable
{
    public const int Count = 120;

    public WorldPairs()
    {
        Judge = TinyJudge.Load(TinyModel.JudgeFolder);
        WorldRandom random = new(7);
        Pairs = [.. Enumerable.Range(0, Count).Select(_ => Draw(random))];
        // One by one, as the server does: in batches the last digits of a confidence differ.
        Verdicts = [.. Pairs.Select(p => Judge.Compare(p.A, p.B))];
    }

    public TinyJudge Judge { get; }

    public IReadOnlyList<PicturePair> Pairs { get; }

    public IReadOnlyList<Verdict> Verdicts { get; }

    public void Dispose() => Judge.Dispose();

    private static PicturePair Draw(WorldRandom random)
    {
        Subject subject = WorldSampler.SampleSubject(random);
        Subject other = random.Chance(0.4) ? WorldSampler.Change(subject, random) : subject;
        return new PicturePair(Renderer.Draw(subject, WorldSampler.SampleContext(random)), Renderer.Draw(other, WorldSampler.SampleContext(random)));
    }
}
