using Dsd.Common.Options;

namespace Dsd.Runs;

/// <summary>What an <see cref="AxesRun"/> does, and how much of it at once.</summary>
public sealed record AxesRunOptions
{
    /// <summary>Whether only pairs that the judges or people kept are scored: cheaper, and then nothing is known of the others. Default false.</summary>
    public bool KeptOnly { get; init; }

    /// <summary>Pairs that are scored at the same time, 1 to 4096. Default 16.</summary>
    public int Concurrency { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Concurrency)); } = 16;

    /// <summary>The run ends after so many failed requests without a success between, 1 to 1,000,000. Default 50.</summary>
    public int MostFailures { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(MostFailures)); } = 50;
}
