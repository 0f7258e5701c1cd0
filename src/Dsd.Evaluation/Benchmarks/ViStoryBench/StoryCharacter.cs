namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>A character of a story.</summary>
/// <param name="Key">Its key, which shots name and which is its folder's name.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Prompt">What it looks like, in words.</param>
/// <param name="Tag"><c>realistic_human</c>, <c>unrealistic_human</c> or <c>non_human</c>.</param>
/// <param name="Images">The files of its reference pictures, sorted by name. The first one stands for it.</param>
public sealed record StoryCharacter(string Key, string Name, string Prompt, string Tag, IReadOnlyList<string> Images);
