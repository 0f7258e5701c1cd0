using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>Numbers of tokens as a server tells them, which may be anything.</summary>
internal static class TokenCount
{
    /// <summary>The most that one answer can have taken: more is no count.</summary>
    public const long Most = 1_000_000_000;

    /// <summary>The count, or null for none and for what cannot be one.</summary>
    public static long? Valid(long? count) => count is >= 0 and <= Most ? count : null;

    /// <summary>Questions and answers together; null where neither is known.</summary>
    public static long? Total(UsageDetails? usage) => Valid(usage?.TotalTokenCount) is { } total && total > 0 ? total
        : Valid(usage?.InputTokenCount) is var input && Valid(usage?.OutputTokenCount) is var output
            && (input ?? output) is not null ? (input ?? 0) + (output ?? 0)
        : null;
}
