using System.Text.Json.Serialization;

namespace Dsd.Tools.Benchmark;

/// <summary>What <c>dsd bench curation</c> measured; in JSON under these names in small letters with underscores.</summary>
internal sealed record CurationBenchmarkResult
{
    /// <summary>Requests at the same time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>What the server takes for each, in milliseconds.</summary>
    public required double LatencyMs { get; init; }

    /// <summary>Pairs a second if nothing but the server took time.</summary>
    public required double IdealPerS { get; init; }

    /// <summary>Pairs a second from the run's begin to its end.</summary>
    public required double AchievedPerS { get; init; }

    /// <summary>Judgements a second that the ledger takes from so many writers.</summary>
    public required double LedgerWritesPerS { get; init; }

    /// <summary>The most memory in the run of many rows.</summary>
    public required long PeakRssBytes { get; init; }

    /// <summary>
    /// This process's processor time for a pair: cut from its grid, encoded, sent, the answer read and written to the ledger. The server's time is
    /// its own process's.
    /// </summary>
    public required double OverheadMsPerPair { get; init; }

    /// <summary>What such a pair takes by the clock, one after the other, with a server that answers at once.</summary>
    public required double AloneMsPerPair { get; init; }

    /// <summary>This process's processor time for a pair of the run over HTTP, with its prompt and its grid's file.</summary>
    public required double RunMsPerPair { get; init; }

    /// <summary>A pair cut and judged by the embedded judge in this process.</summary>
    public required double EmbeddedJudgeMsPerPair { get; init; }

    /// <summary>What of that is around the judge: cutting, encoding, reading the verdict.</summary>
    public required double EmbeddedOverheadMsPerPair { get; init; }

    /// <summary>Pairs judged over HTTP.</summary>
    public required int Pairs { get; init; }

    /// <summary>Side of a panel in pixels.</summary>
    public required int PanelSize { get; init; }

    /// <summary>Rows of the run whose memory was watched.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows a second of that run.</summary>
    public required double RowsPerS { get; init; }

    /// <summary>Mean memory while the second quarter of the rows went through; the first warms up.</summary>
    public required long EarlyRssBytes { get; init; }

    /// <summary>Mean memory while the last quarter went through.</summary>
    public required long LateRssBytes { get; init; }

    /// <summary>Pairs that the server's verdicts kept.</summary>
    public required long Kept { get; init; }

    /// <summary>Tokens of questions, as the server counts them.</summary>
    public required long InputTokens { get; init; }

    /// <summary>Tokens of answers.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>What 1,000 kept pairs would cost by each model of the price list; null without one.</summary>
    [JsonPropertyName("cost_per_1000_kept")]
    public IReadOnlyDictionary<string, double>? CostPer1000Kept { get; init; }
}
