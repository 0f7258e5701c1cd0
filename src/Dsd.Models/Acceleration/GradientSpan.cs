namespace Dsd.Models.Acceleration;

/// <summary>Weights and their gradient in a GPU's memory, in 32 bits without gaps.</summary>
/// <param name="Weights">Address of the first weight.</param>
/// <param name="Gradient">Address of its gradient.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Scale">What the gradient is to be multiplied by.</param>
internal readonly record struct GradientSpan(long Weights, long Gradient, long Count, double Scale);
