namespace Dsd.Models.Training.Optimizers;

/// <summary>Part of a parameter, and the zeros that follow it in a piece.</summary>
internal readonly record struct WeightSegment(int Parameter, long Start, long Length, long Padding);
