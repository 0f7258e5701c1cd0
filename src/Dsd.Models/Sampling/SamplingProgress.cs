namespace Dsd.Models.Sampling;

/// <summary>How far a sampling loop has come.</summary>
/// <param name="Step">Steps done, from 1 to <paramref name="Steps"/>.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Sigma">The noise level that the step started from, in 0…1.</param>
public sealed record SamplingProgress(int Step, int Steps, float Sigma);
