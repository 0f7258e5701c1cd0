namespace Dsd.Models.Sampling;

/// <summary>What one pass of a step is given.</summary>
/// <param name="Prompt">Whether it has the prompt; otherwise the empty one.</param>
/// <param name="Condition">Whether it has the condition; otherwise zeros.</param>
public readonly record struct GuidancePass(bool Prompt, bool Condition);
