namespace Dsd.Models.Training.Cache;

/// <summary>What is kept of a pair while its model trains: about a hundred bytes.</summary>
/// <param name="Latents">The entry of both frames.</param>
/// <param name="Condition">The entry of the reference beside black.</param>
/// <param name="Prompt">The entry of the prompt.</param>
/// <param name="Bucket">Which of the sizes it has.</param>
internal readonly record struct ExampleKeys(CacheKey Latents, CacheKey Condition, CacheKey Prompt, int Bucket);
