namespace Dsd.Models.Benchmark;

/// <summary>What a <see cref="TrainingBenchmark"/> found for one setting.</summary>
/// <param name="Setting">What of the base model lies where.</param>
/// <param name="Gpus">Processes that took each step together; all other figures but the tokens are this one's.</param>
/// <param name="Device">Where it ran.</param>
/// <param name="Parameters">Numbers that learn.</param>
/// <param name="MsPerStep">Milliseconds for a step: loss, gradients and optimiser; the mean of the measured steps.</param>
/// <param name="TokensPerS">Image and text tokens of all pairs of a step, those of all processes, by that time.</param>
/// <param name="Tflops">
/// Arithmetic of a step by that time, in 10¹² operations a second: the base's two products a layer, without what is computed twice.
/// </param>
/// <param name="ShareOfMatmul">That rate, as a share of the rate of one large matrix product measured just before.</param>
/// <param name="PeakMemoryBytes">
/// On CUDA what was taken of the GPU's memory after the last step, torch's cache included; on the CPU the most that the process has held so far.
/// </param>
/// <param name="PredictedMemoryBytes">What the plan says of it.</param>
/// <param name="PredictedMsPerStep">What the plan says of <paramref name="MsPerStep"/>; null on the CPU.</param>
/// <param name="Loss">Of the last step, to see that it learns.</param>
public sealed record TrainingBenchmarkResult(
    string Setting, int Gpus, string Device, long Parameters, double MsPerStep, double TokensPerS, double Tflops, double ShareOfMatmul, long PeakMemoryBytes,
    long PredictedMemoryBytes, double? PredictedMsPerStep, double Loss);
