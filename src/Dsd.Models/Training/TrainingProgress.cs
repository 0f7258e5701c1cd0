namespace Dsd.Models.Training;

/// <summary>How far a training run has come.</summary>
/// <param name="Step">Steps taken, from 1.</param>
/// <param name="Steps">Steps in the run.</param>
/// <param name="Loss">Mean loss since the last report.</param>
/// <param name="GradientNorm">Norm of all gradients at this step, before clipping.</param>
/// <param name="Elapsed">Time in this process, without earlier parts of a resumed run.</param>
/// <param name="ValidationLoss">The loss of held-out pairs after this step, where it was looked at: see <see cref="LoraTrainer.HeldOut"/>.</param>
public sealed record TrainingProgress(long Step, long Steps, float Loss, float GradientNorm, TimeSpan Elapsed, float? ValidationLoss = null);
