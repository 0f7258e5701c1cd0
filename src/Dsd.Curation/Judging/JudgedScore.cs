namespace Dsd.Curation.Judging;

/// <summary>What a judge scored once: one item, by one question, in one repeat. Or that there is no score, and why.</summary>
public sealed record JudgedScore
{
    /// <summary>What was judged, by a name that it has within the metric.</summary>
    public required string Item { get; init; }

    /// <summary>Which question was asked.</summary>
    public required string Metric { get; init; }

    /// <summary>Which of the repeats of this question it is, from 0.</summary>
    public required int Repeat { get; init; }

    /// <summary>The judge's name.</summary>
    public required string Judge { get; init; }

    /// <summary>
    /// The SHA-256 of all that was asked, texts, pictures and options, as hexadecimal digits: with another one the score is of something else.
    /// </summary>
    public required string Question { get; init; }

    /// <summary>The score; null where no answer could be read or the request failed. That is no score of 0.</summary>
    public int? Score { get; init; }

    /// <summary>The judge's own words, or what was wrong.</summary>
    public required string Reason { get; init; }

    /// <summary>The model that answered, as it names itself; null where it does not.</summary>
    public string? Model { get; init; }

    /// <summary>How often the model was asked: 1, or 2 after an answer that could not be read; 0 where the request itself failed.</summary>
    public int Attempts { get; init; }

    /// <summary>Tokens of the questions, pictures included, as the model reports them; 0 where it reports none.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens of the answers, as the model reports them; 0 where it reports none.</summary>
    public long OutputTokens { get; init; }

    /// <summary>How long it took, waiting and repeats included.</summary>
    public TimeSpan Duration { get; init; }
}
