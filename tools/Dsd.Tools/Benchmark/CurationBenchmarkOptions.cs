namespace Dsd.Tools.Benchmark;

/// <summary>How much <c>dsd bench curation</c> measures.</summary>
internal sealed record CurationBenchmarkOptions
{
    /// <summary>Pairs that are judged over HTTP.</summary>
    public required int Pairs { get; init; }

    /// <summary>Rows of the run whose memory is watched.</summary>
    public required int Rows { get; init; }

    /// <summary>Requests at the same time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>What the server takes for each.</summary>
    public required TimeSpan Latency { get; init; }

    /// <summary>Side of a panel in pixels.</summary>
    public required int PanelSize { get; init; }
}
