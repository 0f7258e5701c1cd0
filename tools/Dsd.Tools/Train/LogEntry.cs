namespace Dsd.Tools.Train;

/// <summary>One line of <c>log.jsonl</c>.</summary>
/// <param name="Step">Steps taken, from 1.</param>
/// <param name="Loss">Mean loss since the last line; null where no step had a finite one.</param>
/// <param name="GradientNorm">Norm of all gradients at this step; null where it is not finite.</param>
/// <param name="Skipped">Steps of the whole run that changed nothing.</param>
/// <param name="Seconds">Seconds since this process took its first step.</param>
/// <param name="SecondsPerStep">Seconds a step since the last line, with what came between them.</param>
/// <param name="ValidationLoss">Loss of held-out pairs, where it was looked at.</param>
/// <param name="MemoryBytes">The device's memory in use; on the CPU the most that the process had.</param>
internal sealed record LogEntry(
    long Step, float? Loss, float? GradientNorm, long Skipped, double Seconds, double SecondsPerStep, float? ValidationLoss, long MemoryBytes);
