namespace Dsd.Review.Reports;

/// <summary>A figure between 0 and 1 with its interval.</summary>
/// <param name="Value">The figure.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">The interval's upper end.</param>
public sealed record Estimate(double Value, double Low, double High);
