using Dsd.Common.Options;

namespace Dsd.Models.Sampling;

/// <summary>Noise levels and steps of the Euler method for rectified flow, as FLUX uses them. Plain numbers, no tensors.</summary>
public static class FlowMatchEulerScheduler
{
    /// <summary>The noise levels of a run: <c>linspace(1, 1 / steps, steps)</c>, shifted, then 0.</summary>
    /// <param name="config">The model's schedule.</param>
    /// <param name="steps">Steps, 1 to 1000.</param>
    /// <param name="imageTokens">Tokens of the packed latents, at least 1; the dynamic shift depends on them.</param>
    /// <returns><paramref name="steps"/> + 1 falling numbers from 1 (for one step and more) to 0.</returns>
    /// <exception cref="ArgumentException">The config contradicts itself, or a number is out of range.</exception>
    public static float[] Sigmas(SchedulerConfig config, int steps, int imageTokens)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        OptionCheck.Range(steps, 1, 1000, nameof(steps));
        ArgumentOutOfRangeException.ThrowIfLessThan(imageTokens, 1);
        double shift = config.UseDynamicShifting ? Math.Exp(Mu(config, imageTokens)) : config.Shift;
        float[] sigmas = new float[steps + 1];
        for (int i = 0; i < steps; i++)
        {
            // The dynamic shift exp(mu) / (exp(mu) + 1 / sigma − 1) is the static one with exp(mu) for the shift.
            double sigma = steps == 1 ? 1 : 1 + i * (1.0 / steps - 1) / (steps - 1);
            sigmas[i] = (float)(shift * sigma / (1 + (shift - 1) * sigma));
        }
        return sigmas;
    }

    /// <summary>The timesteps of a run: every sigma but the last, times <see cref="SchedulerConfig.NumTrainTimesteps"/>.</summary>
    public static float[] Timesteps(SchedulerConfig config, int steps, int imageTokens) =>
        [.. Sigmas(config, steps, imageTokens).Take(steps).Select(s => s * config.NumTrainTimesteps)];

    /// <summary>Exponent of the dynamic shift: a straight line through the config's two points.</summary>
    public static double Mu(SchedulerConfig config, int imageTokens)
    {
        ArgumentNullException.ThrowIfNull(config);
        double slope = (config.MaxShift - config.BaseShift) / (config.MaxImageSeqLen - config.BaseImageSeqLen);
        return config.BaseShift + slope * (imageTokens - config.BaseImageSeqLen);
    }
}
