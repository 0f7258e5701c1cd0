namespace Dsd.Tiny.World;

/// <summary>Captions of subjects of the embedded model's world, for a run without a captions file.</summary>
internal static class WorldCaptions
{
    /// <summary>Captions that tell the whole subject, each of another one, without an end.</summary>
    public static IEnumerable<(string Key, string Text)> Of(long seed) => WorldSampler.Subjects((ulong)seed)
        .Select((subject, i) => Captions.Whole(subject, (ulong)seed + (ulong)i))
        .DistinctBy(text => text)
        .Select((text, i) => ($"world-{seed}-{i}", text));
}
