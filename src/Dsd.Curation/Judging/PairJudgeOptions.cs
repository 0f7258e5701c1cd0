using Dsd.Common.Options;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Judging;

/// <summary>How a <see cref="PairJudge"/> judges pairs of pictures, and which it keeps.</summary>
public sealed record PairJudgeOptions : JudgeSettings
{
    /// <summary>The defaults.</summary>
    public PairJudgeOptions()
    {
    }

    /// <summary>Options with these settings, and the defaults for the rest.</summary>
    public PairJudgeOptions(JudgeSettings settings)
        : base(settings)
    {
    }

    /// <summary>Pairs with one of these flags are not kept, whatever the verdict: 'near_copy', say. Default none.</summary>
    public IReadOnlyList<string> RejectedFlags { get; init => field = OptionCheck.Texts(value, 0, nameof(RejectedFlags)); } = [];

    /// <summary>
    /// What the judge is called in ledgers and reports, up to 64 characters. Null, the default: its model's name as the client gives it,
    /// else 'judge'.
    /// </summary>
    public string? Name { get; init => field = StructuredChat.CheckedName(value, nameof(Name)); }

    /// <summary>Pairs that are judged at the same time, 1 to 256. Default 4.</summary>
    public int Concurrency { get; init => field = OptionCheck.Range(value, 1, 256, nameof(Concurrency)); } = 4;

    /// <summary>
    /// Instructions to use instead of the built-in ones, up to 64 KB; the form of the answer stays.
    /// Null, the default: the file's, else the built-in ones.
    /// </summary>
    public string? Instructions
    {
        get;
        init => field = value is null || (!string.IsNullOrWhiteSpace(value) && value.Length <= 64 * 1024)
            ? value
            : throw new ArgumentException(
                $"Option {nameof(Instructions)} must hold a text of at most 65536 characters, but has {value.Length}.", nameof(Instructions));
    }

    /// <summary>Model, temperature and the like. Copied for each request, never changed. Its <c>ResponseFormat</c> must be null.</summary>
    public ChatOptions? Chat { get; init => field = StructuredChat.WithoutFormat(value, nameof(Chat)); }
}
