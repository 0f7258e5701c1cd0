namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>How alike a shot and one reference are.</summary>
/// <param name="Character">The key of the character whose reference it is.</param>
/// <param name="Reference">The reference's file, the character's first.</param>
/// <param name="Score">The cosine.</param>
public sealed record CharacterStyle(string Character, string Reference, double Score);
