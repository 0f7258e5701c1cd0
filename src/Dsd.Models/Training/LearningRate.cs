namespace Dsd.Models.Training;

/// <summary>A learning rate that rises in a straight line, the warm-up, and then follows a schedule.</summary>
public static class LearningRate
{
    /// <summary>The rate of one step.</summary>
    /// <param name="schedule">How it goes on after the rise.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">Steps in the run, at least 1.</param>
    /// <param name="warmup">Steps of the rise; 0 starts at the peak.</param>
    /// <param name="peak">The largest rate.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such schedule.</exception>
    public static double At(LearningRateSchedule schedule, long step, long steps, long warmup, double peak)
    {
        if (step < warmup)
        {
            return peak * (step + 1) / (warmup + 1);
        }
        double share = Math.Clamp((double)(step - warmup) / Math.Max(1, steps - warmup), 0, 1);
        return schedule switch
        {
            LearningRateSchedule.Cosine => peak * 0.5 * (1 + Math.Cos(Math.PI * share)),
            LearningRateSchedule.Constant => peak,
            LearningRateSchedule.Linear => peak * (1 - share),
            _ => throw new ArgumentOutOfRangeException(nameof(schedule), schedule, "There is no such schedule."),
        };
    }
}
