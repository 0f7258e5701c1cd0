namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>How alike a shot and its characters' references are.</summary>
/// <param name="Index">The shot's index.</param>
/// <param name="Score">The mean over <paramref name="Characters"/>.</param>
/// <param name="Generated">The shot's file.</param>
/// <param name="Characters">Each character of the shot; another one of the story where none of them has a reference.</param>
public sealed record ShotStyle(int Index, double Score, string Generated, IReadOnlyList<CharacterStyle> Characters);
