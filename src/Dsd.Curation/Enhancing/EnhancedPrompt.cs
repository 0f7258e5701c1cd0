namespace Dsd.Curation.Enhancing;

/// <summary>What became of a prompt.</summary>
/// <param name="Asked">The prompt as it was given.</param>
/// <param name="Prompt">The prompt to draw with: the model's, or the given one where <paramref name="Failure"/> says why.</param>
/// <param name="Failure">Why the prompt is as it was given, in a full sentence; null where it is the model's.</param>
public sealed record EnhancedPrompt(string Asked, string Prompt, string? Failure = null)
{
    /// <summary>The model that answered, as it names itself; null where it does not, or none did.</summary>
    public string? Model { get; init; }

    /// <summary>How often the model was asked: 1, or 2 after an answer that could not be read; 0 where the request itself failed.</summary>
    public int Attempts { get; init; }

    /// <summary>Tokens of the questions, the picture included, as the model reports them; 0 where it reports none.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens of the answers, as the model reports them; 0 where it reports none.</summary>
    public long OutputTokens { get; init; }
}
