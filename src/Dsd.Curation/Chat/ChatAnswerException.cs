using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>A body that is no chat completion, with what could be read of it.</summary>
internal sealed class ChatAnswerException(string message) : FormatException(message)
{
    /// <summary>Whether it is an error in place of an answer.</summary>
    public bool IsError { get; init; }

    /// <summary>The HTTP status that the error names.</summary>
    public int? Code { get; init; }

    /// <summary>What it took all the same, where the server tells.</summary>
    public UsageDetails? Usage { get; init; }
}
