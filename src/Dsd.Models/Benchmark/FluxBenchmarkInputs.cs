namespace Dsd.Models.Benchmark;

/// <summary>What every variant of a <see cref="FluxBenchmark"/> is given: one step of one picture, row by row.</summary>
/// <param name="Latents">[1, image, in channels].</param>
/// <param name="Condition">[1, image, in channels]; null for a transformer that takes none.</param>
/// <param name="Text">[1, text, joint attention dim].</param>
/// <param name="Pooled">[1, pooled projection dim].</param>
/// <param name="Sigma">The noise level.</param>
/// <param name="Guidance">The distilled guidance; null for a transformer that takes none.</param>
/// <param name="Options">The sizes.</param>
public sealed record FluxBenchmarkInputs(
    float[] Latents, float[]? Condition, float[] Text, float[] Pooled, float Sigma, float? Guidance, FluxBenchmarkOptions Options);
