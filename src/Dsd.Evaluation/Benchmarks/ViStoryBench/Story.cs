namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>A story of ViStoryBench: its shots, and its characters in the order of the file.</summary>
/// <param name="Id">The story's id, the name of its folder: digits.</param>
/// <param name="Shots">The shots, in the order of the file.</param>
/// <param name="Characters">The characters, in the order of the file.</param>
public sealed record Story(string Id, IReadOnlyList<StoryShot> Shots, IReadOnlyList<StoryCharacter> Characters);
