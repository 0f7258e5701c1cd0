using Dsd.Evaluation.Metrics;

namespace Dsd.Evaluation.Tests.Metrics;

public sealed class NearDuplicatesTests
{
    [Fact]
    public void TheFirstOfAGroupStays()
    {
        float[][] embeddings = [[1, 0], [0, 1], [2, 0.01f], [-1, 0], [0.01f, 3], [1, 1]];
        Assert.Equal([null, null, 0, null, 1, null], NearDuplicates.Find(embeddings, 0.98));
    }

    [Fact]
    public void WhatRepeatsARepetition_IsComparedWithWhatIsKept()
    {
        // Each is near to its neighbour; the third is too far from the first, which is what is kept.
        float[][] embeddings = [[1, 0], [1, 0.15f], [1, 0.3f]];
        Assert.Equal([null, 0, null], NearDuplicates.Find(embeddings, 0.98));
    }

    [Fact]
    public void ALongList_IsComparedOnAllCores_WithTheSameResult()
    {
        Random random = new(1);
        float[][] different = [.. Enumerable.Range(0, 4500).Select(_ => Enumerable.Range(0, 32).Select(_ => (float)random.NextDouble() - 0.5f).ToArray())];
        IReadOnlyList<int?> found = NearDuplicates.Find([.. different, .. different], 0.999);
        Assert.Equal([.. different.Select(_ => (int?)null), .. Enumerable.Range(0, 4500).Select(i => (int?)i)], found);
    }

    [Fact]
    public void WhatHasNoDirection_IsRefused()
    {
        Assert.Contains("Embedding 1", Assert.Throws<ArgumentException>(() => NearDuplicates.Find([[1, 0], [0, 0]], 0.9)).Message);
        Assert.Contains("Embedding 1", Assert.Throws<ArgumentException>(() => NearDuplicates.Find([[1, 0], [1, 0, 0]], 0.9)).Message);
        Assert.Empty(NearDuplicates.Find([], 0.9));
    }
}
