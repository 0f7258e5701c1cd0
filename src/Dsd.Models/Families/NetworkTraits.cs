namespace Dsd.Models.Families;

/// <summary>What a network takes beside latents, noise level and prompts.</summary>
/// <param name="Condition">Whether it takes a reference.</param>
/// <param name="Guidance">Whether it takes the distilled guidance.</param>
public sealed record NetworkTraits(bool Condition, bool Guidance);
