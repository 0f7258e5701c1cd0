namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>CSD of a run: the means over its stories.</summary>
/// <param name="Self">Self-similarity.</param>
/// <param name="Cross">Similarity to the references: what papers call CSD (Cross).</param>
/// <param name="Stories">The stories that were measured, by id.</param>
/// <param name="Missing">Stories of the benchmark of which the run has no picture. They do not count.</param>
public sealed record StoryStyleScores(double Self, double Cross, IReadOnlyDictionary<string, StoryStyle> Stories, IReadOnlyList<string> Missing);
