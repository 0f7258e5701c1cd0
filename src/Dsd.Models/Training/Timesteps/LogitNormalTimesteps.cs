using Dsd.Common.Options;

namespace Dsd.Models.Training.Timesteps;

/// <summary>Levels whose <c>log(σ / (1 − σ))</c> is normal: those in the middle are likeliest.</summary>
public sealed record LogitNormalTimesteps : TimestepSampling
{
    /// <summary>Mean of the normal numbers, −10 to 10: above 0 means more noise. Default 0.</summary>
    public double Mean { get; init => field = OptionCheck.Range(value, -10, 10, nameof(Mean)); }

    /// <summary>Their standard deviation, 0.01 to 10. Default 1.</summary>
    public double Deviation { get; init => field = OptionCheck.Range(value, 0.01, 10, nameof(Deviation)); } = 1;

    private protected override bool Normal => true;

    private protected override double Level(double drawn) => 1 / (1 + Math.Exp(-(Mean + Deviation * drawn)));
}
