namespace Dsd.Curation.Judging;

/// <summary>What one judge said of one pair, and what it cost to ask.</summary>
public sealed record JudgeVote
{
    /// <summary>The judge's name (<see cref="IPairJudge.Name"/>), or the gate's (<see cref="IPairGate.Name"/>), which asks no model.</summary>
    public required string Judge { get; init; }

    /// <summary>The model that answered, as it names itself; null where it does not.</summary>
    public string? Model { get; init; }

    /// <summary>The verdict, or null where no answer could be read.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Whether this judge alone would keep the pair.</summary>
    public required bool Kept { get; init; }

    /// <summary>One line that says why, or what was wrong with the answers.</summary>
    public required string Reason { get; init; }

    /// <summary>How often the model was asked: 1, or 2 after an answer that could not be read; 0 by a gate.</summary>
    public required int Attempts { get; init; }

    /// <summary>Tokens of the questions, pictures included, as the model reports them; 0 where it reports none.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens of the answers, as the model reports them; 0 where it reports none.</summary>
    public long OutputTokens { get; init; }

    /// <summary>How long it took, waiting and repeats included.</summary>
    public TimeSpan Duration { get; init; }
}
