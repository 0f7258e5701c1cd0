namespace Dsd.Models.Benchmark;

/// <summary>Another implementation for a <see cref="FluxBenchmark"/> to measure beside its own.</summary>
/// <param name="Name">What results call it.</param>
/// <param name="Prepare">Given the inputs, gives a function that computes the step and returns the velocity [1, image, out channels], row by row.</param>
public sealed record FluxBenchmarkVariant(string Name, Func<FluxBenchmarkInputs, Func<float[]>> Prepare);
