namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>A shot of a story.</summary>
/// <param name="Index">Its number, by which its picture is found.</param>
/// <param name="Characters">The keys of the characters in it.</param>
/// <param name="Setting">Where it takes place.</param>
/// <param name="Plot">What of the story it tells.</param>
/// <param name="Script">What is seen.</param>
/// <param name="Camera">How it is seen.</param>
public sealed record StoryShot(int Index, IReadOnlyList<string> Characters, string Setting, string Plot, string Script, string Camera);
