using Dsd.Common.Options;
using Dsd.Curation;
using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Judged;

/// <summary>How a <see cref="ScoreJudge"/> asks.</summary>
public sealed record ScoreJudgeOptions
{
    /// <summary>
    /// What the judge is called in results and stores, up to 64 characters. Null, the default: its model's name as the client gives it, else 'judge'.
    /// </summary>
    public string? Name { get; init => field = StructuredChat.CheckedName(value, nameof(Name)); }

    /// <summary>How often each question is asked, 1 to 100. Default 3, as in DreamBench++.</summary>
    public int Repeats { get; init => field = OptionCheck.Range(value, 1, 100, nameof(Repeats)); } = 3;

    /// <summary>Questions that are asked at the same time, 1 to 256. Default 4.</summary>
    public int Concurrency { get; init => field = OptionCheck.Range(value, 1, 256, nameof(Concurrency)); } = 4;

    /// <summary>The work ends after so many failed requests without a success between, 1 to 1,000,000. Default 50.</summary>
    public int MostFailures { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(MostFailures)); } = 50;

    /// <summary>
    /// Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null. Without a seed each question and
    /// repeat has one of its own that is the same each time. Null, the default: a temperature of 1, as in DreamBench++.
    /// </summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }

    /// <summary>Where scores are kept, so that what was asked is not asked again. Null, the default: nowhere.</summary>
    public IScoreStore? Store { get; init; }
}
