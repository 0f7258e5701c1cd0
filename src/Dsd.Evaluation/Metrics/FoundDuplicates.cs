namespace Dsd.Evaluation.Metrics;

/// <summary>Which pictures of a list nearly repeat an earlier one.</summary>
/// <param name="Dropped">Their names, each with the name of the kept picture that it repeats.</param>
/// <param name="All">How many pictures there were.</param>
public sealed record FoundDuplicates(IReadOnlyDictionary<string, string> Dropped, int All);
