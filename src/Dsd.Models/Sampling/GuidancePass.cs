namespace Dsd.Models.Sampling;

/// <summary>What one pass of a step is told.</summary>
/// <param name="Prompt">Whether it is told the prompt; otherwise the empty one.</param>
/// <param name="Condition">Whether it is told the condition; otherwise zeros.</param>
public readonly record struct GuidancePass(bool Prompt, bool Condition);
