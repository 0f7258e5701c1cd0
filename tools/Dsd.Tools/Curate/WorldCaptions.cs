using Dsd.Runs.Ledger;
using Dsd.Tiny.World;

namespace Dsd.Tools.Curate;

/// <summary>Captions of subjects of the embedded model's world, for a run without a captions file.</summary>
internal static class WorldCaptions
{
    /// <summary>Captions that tell the whole subject, each of another one.</summary>
    public static IEnumerable<SeedCaption> Of(long seed, int count) => WorldSampler.Subjects((ulong)seed)
        .Select((subject, i) => Captions.Whole(subject, (ulong)seed + (ulong)i))
        .DistinctBy(text => text)
        .Take(count)
        .Select((text, i) => new SeedCaption($"world-{seed}-{i}", text));
}
