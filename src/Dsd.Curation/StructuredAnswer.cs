namespace Dsd.Curation;

/// <summary>What a chat model answered, after one repeat at most (<see cref="StructuredChat"/>).</summary>
/// <typeparam name="T">What was read of the answer.</typeparam>
/// <param name="Value">The value that was read; null where no answer could be.</param>
/// <param name="Error">What was wrong with the last answer; null where it could be read.</param>
/// <param name="Attempts">How often the model was asked.</param>
/// <param name="Model">The model's name as it gives it itself.</param>
/// <param name="InputTokens">Tokens of all questions, where the model tells.</param>
/// <param name="OutputTokens">Tokens of all answers, where the model tells.</param>
public sealed record StructuredAnswer<T>(T? Value, FormatException? Error, int Attempts, string? Model, long InputTokens, long OutputTokens)
    where T : class;
