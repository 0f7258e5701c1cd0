using System.Buffers;
using System.Text;
using Dsd.Common.Options;

namespace Dsd.Runs.Ledger;

/// <summary>Which pairs of a ledger are looked for; what is left out does not matter.</summary>
public sealed record PairFilter
{
    /// <summary>The longest name or text that is looked for, in characters.</summary>
    public const int MaxTextLength = 200;

    /// <summary>What the judge made of it. Null, the default: anything.</summary>
    public JudgeOutcome? Outcome { get; init => field = OptionCheck.DefinedOrNull(value, nameof(Outcome)); }

    /// <summary>What a person made of it. Null, the default: anything.</summary>
    public ReviewState? Review { get; init => field = OptionCheck.DefinedOrNull(value, nameof(Review)); }

    /// <summary>The least confidence of the judgement, 0 to 1; pairs without any are left out then. Null, the default: any or none.</summary>
    public double? LeastConfidence { get; init => field = OptionCheck.RangeOrNull(value, 0, 1, nameof(LeastConfidence)); }

    /// <summary>The most confidence of the judgement, 0 to 1; pairs without any are left out then. Null, the default: any or none.</summary>
    public double? MostConfidence { get; init => field = OptionCheck.RangeOrNull(value, 0, 1, nameof(MostConfidence)); }

    /// <summary>A quality flag that one of the votes raised, 1 to 200 characters. Null, the default: any or none.</summary>
    public string? Flag { get; init => field = Bounded(value, nameof(Flag)); }

    /// <summary>The name of a judge that voted, 1 to 200 characters. Null, the default: any.</summary>
    public string? Judge { get; init => field = Bounded(value, nameof(Judge)); }

    /// <summary>
    /// What the id, the prompt, a caption, the reason or a verdict must hold, in large or small letters, 1 to 200 characters. Null, the
    /// default: anything.
    /// </summary>
    public string? Text { get; init => field = Bounded(value, nameof(Text)); }

    // A NUL ends a text in SQLite, so that what stands behind it would not be looked for; a half of a surrogate pair is no character.
    private static string? Bounded(string? value, string option) =>
        value is not null and not { Length: > 0 and <= MaxTextLength } ? throw new ArgumentException(
            $"Option {option} must have 1 to {MaxTextLength} characters, but has {value.Length}.", option)
        : value is not null && (value.Contains('\0') || !IsWellFormed(value)) ? throw new ArgumentException(
            $"Option {option} must be a text without NUL and without halves of surrogate pairs.", option)
        : value;

    private static bool IsWellFormed(string text)
    {
        for (ReadOnlySpan<char> rest = text; rest.Length > 0;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out int length) != OperationStatus.Done)
            {
                return false;
            }
            rest = rest[length..];
        }
        return true;
    }
}
