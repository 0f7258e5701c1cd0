namespace Dsd.Curation.Axes;

/// <summary>What a judge scored of one pair, and what it cost to ask.</summary>
public sealed record AxesVote
{
    /// <summary>The judge's name.</summary>
    public required string Judge { get; init; }

    /// <summary>The model that answered, as it names itself; null where it does not.</summary>
    public string? Model { get; init; }

    /// <summary>The scores, or null where no answer could be read.</summary>
    public PairAxes? Axes { get; init; }

    /// <summary>What was wrong with the answers; empty where one could be read.</summary>
    public string Reason { get; init; } = "";

    /// <summary>How often the model was asked: 1, or 2 after an answer that could not be read.</summary>
    public required int Attempts { get; init; }

    /// <summary>Tokens of the questions, pictures included, as the model reports them; 0 where it reports none.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens of the answers, as the model reports them; 0 where it reports none.</summary>
    public long OutputTokens { get; init; }

    /// <summary>How long it took, waiting and repeats included.</summary>
    public TimeSpan Duration { get; init; }
}
