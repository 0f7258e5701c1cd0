using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Axes;

/// <summary>How an <see cref="AxesJudge"/> asks.</summary>
public sealed record AxesJudgeOptions : QuestionSettings
{
    /// <summary>What the judge is called in ledgers, up to 64 characters. Null, the default: its model's name as the client gives it, else 'judge'.</summary>
    public string? Name { get; init => field = StructuredChat.CheckedName(value, nameof(Name)); }

    /// <summary>Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null.</summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }
}
