using Microsoft.Extensions.AI;

namespace Dsd.Curation;

/// <summary>The text of a model's answer without its thinking, and what is the matter where it has none of use.</summary>
internal static class AnswerText
{
    /// <summary>The code of an <see cref="ErrorContent"/> with a refusal, as Microsoft's own client for OpenAI sets it.</summary>
    public const string Refusal = "Refusal";

    private const string ThinkBegin = "<think>";
    private const string ThinkEnd = "</think>";

    /// <summary>
    /// The answer after one leading <c>&lt;think&gt;…&lt;/think&gt;</c>. It may lack its beginning, which some models' templates write for
    /// them, or its end: then there is no answer.
    /// </summary>
    public static string Of(ChatResponse response) => WithoutThinking(response.Text);

    /// <inheritdoc cref="Of"/>
    public static string WithoutThinking(string text)
    {
        ReadOnlySpan<char> start = text.AsSpan().TrimStart();
        int end = text.IndexOf(ThinkEnd, StringComparison.OrdinalIgnoreCase);
        if (start.StartsWith(ThinkBegin, StringComparison.OrdinalIgnoreCase))
        {
            return end < 0 ? "" : text[(end + ThinkEnd.Length)..];
        }
        // An object is the answer itself, whatever its texts say.
        bool isAnswer = start.Length == 0 || start[0] is '{' or '[' or '`';
        return end < 0 || isAnswer || text.AsSpan(0, end).Contains(ThinkBegin, StringComparison.OrdinalIgnoreCase) ? text : text[(end + ThinkEnd.Length)..];
    }

    /// <summary>Why an answer cannot be read, where more is known of it than its text; null where not.</summary>
    public static string? Cause(ChatResponse response)
    {
        string text = response.Text;
        if (response.Messages.SelectMany(m => m.Contents).OfType<ErrorContent>().FirstOrDefault(c => c.ErrorCode == Refusal) is { } refusal)
        {
            return $"the model refuses to answer: '{AnswerJson.Excerpt(Chat.ServerWords.Of(refusal.Message), 200)}'.";
        }
        string reason = response.FinishReason?.Value ?? "";
        string because = reason.Length == 0 ? "" : $" (finish_reason '{reason}')";
        if (reason.Contains("filter", StringComparison.OrdinalIgnoreCase) || reason.Equals("safety", StringComparison.OrdinalIgnoreCase))
        {
            return $"a content filter of the server held the answer back{because}.";
        }
        bool isThinking = text.AsSpan().TrimStart().StartsWith(ThinkBegin, StringComparison.OrdinalIgnoreCase) && WithoutThinking(text).Length == 0
            || text.Length == 0 && response.Messages.SelectMany(m => m.Contents).Any(c => c is TextReasoningContent);
        const string More = "Set max_output_tokens (MaxOutputTokens in code) higher, or have the model think less.";
        if (reason is "length" or "max_tokens" or "MAX_TOKENS" or "model_length")
        {
            return $"the answer was cut off at its limit of tokens{because}{(isThinking ? ", in the midst of its thinking" : "")}. {More}";
        }
        return isThinking ? $"the answer has thinking and nothing after it{because}. {More}"
            : string.IsNullOrWhiteSpace(text) ? $"the answer is empty{because}."
            : null;
    }
}
