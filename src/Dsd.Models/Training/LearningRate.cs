namespace Dsd.Models.Training;

/// <summary>A learning rate that rises in a straight line, then falls along half a cosine to nothing.</summary>
public static class LearningRate
{
    /// <summary>The rate of one step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">Steps in the run, at least 1.</param>
    /// <param name="warmup">Steps of the rise; 0 starts at the peak.</param>
    /// <param name="peak">The largest rate.</param>
    public static double Cosine(long step, long steps, long warmup, double peak)
    {
        if (step < warmup)
        {
            return peak * (step + 1) / (warmup + 1);
        }
        double share = Math.Clamp((double)(step - warmup) / Math.Max(1, steps - warmup), 0, 1);
        return peak * 0.5 * (1 + Math.Cos(Math.PI * share));
    }
}
