namespace Dsd.Runs.Ledger;

/// <summary>What a model takes for a million tokens.</summary>
public sealed record ModelPrice
{
    /// <summary>Of questions, pictures included.</summary>
    public required double Input { get; init; }

    /// <summary>Of answers.</summary>
    public required double Output { get; init; }
}
