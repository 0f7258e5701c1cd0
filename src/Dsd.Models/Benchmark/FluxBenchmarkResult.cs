namespace Dsd.Models.Benchmark;

/// <summary>What a <see cref="FluxBenchmark"/> found for one way of computing a step.</summary>
/// <param name="Variant"><c>all</c> for all optimisations, <c>no_…</c> for all but one, <c>plain</c> for none, or the name of another implementation.</param>
/// <param name="Device">Where it ran.</param>
/// <param name="Tokens">Image and text tokens.</param>
/// <param name="MsPerStep">Milliseconds for one step of one picture: the median of three rounds.</param>
/// <param name="Tflops">Arithmetic of a step by that time, in 10¹² operations a second.</param>
/// <param name="ShareOfMatmul">That rate, as a share of the rate of one large matrix product measured just before.</param>
/// <param name="PeakMemoryBytes">
/// On CUDA what was taken of the GPU's memory after the last step, torch's cache included; on the CPU the most that the process has held so far.
/// </param>
/// <param name="MaxAbsError">Largest difference of the result from <c>plain</c>'s.</param>
public sealed record FluxBenchmarkResult(
    string Variant, string Device, int Tokens, double MsPerStep, double Tflops, double ShareOfMatmul, long PeakMemoryBytes, double MaxAbsError);
