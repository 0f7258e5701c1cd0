using Dsd.Common.Options;

namespace Dsd.Curation.Judging;

/// <summary>What judging needs to know whoever judges: which pairs are kept, and how pictures are sent.</summary>
public record JudgeSettings : QuestionSettings
{
    /// <summary>The least confidence at which a pair that shows the same subject is kept, 0 to 1. Default 0.8.</summary>
    public double Threshold { get; init => field = OptionCheck.Range(value, 0.0, 1.0, nameof(Threshold)); } = 0.8;
}
