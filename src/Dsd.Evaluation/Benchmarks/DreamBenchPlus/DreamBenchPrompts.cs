namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>What kind of prompt one of DreamBench++ is. Its index says so.</summary>
public enum DreamBenchPrompts
{
    /// <summary>Indices 0 to 3.</summary>
    Photorealistic,

    /// <summary>Indices 4 to 6.</summary>
    StyleTransfer,

    /// <summary>Indices 7 and 8.</summary>
    Imaginative,

    /// <summary>Any other index, in folders that are not the benchmark's own. It counts in the whole alone.</summary>
    Other,
}
