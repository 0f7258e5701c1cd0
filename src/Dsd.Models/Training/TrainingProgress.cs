namespace Dsd.Models.Training;

/// <summary>How far a training run has come.</summary>
/// <param name="Step">Steps taken, from 1.</param>
/// <param name="Steps">Steps in the run.</param>
/// <param name="Loss">Mean loss since the last report, without steps that were skipped; not a number where all were.</param>
/// <param name="GradientNorm">Norm of all gradients at this step, before clipping.</param>
/// <param name="Elapsed">Time in this process, without earlier parts of a resumed run.</param>
/// <param name="ValidationLoss">The loss of held-out pairs after this step, where it was looked at: see <see cref="LoraTrainer.HeldOut"/>.</param>
public sealed record TrainingProgress(long Step, long Steps, float Loss, float GradientNorm, TimeSpan Elapsed, float? ValidationLoss = null)
{
    /// <summary>Steps of the whole run that changed nothing, since their loss or gradient was not a finite number.</summary>
    public long Skipped { get; init; }

    /// <summary>Steps that had been taken when this process began: more than 0 in a run that goes on.</summary>
    public long Began { get; init; }
}
