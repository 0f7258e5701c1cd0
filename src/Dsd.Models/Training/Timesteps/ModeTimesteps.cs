using Dsd.Common.Options;

namespace Dsd.Models.Training.Timesteps;

/// <summary>
/// Levels <c>1 − u − s · (cos²(πu / 2) − 1 + u)</c> of even numbers u: with a scale s above 0 those in the middle are likelier, below 0 the ends; none is
/// ever left out.
/// </summary>
public sealed record ModeTimesteps : TimestepSampling
{
    /// <summary>The scale s, −1 to 1.75, between which levels fall as u rises. 0 is even. Default 1.29, Stable Diffusion 3's.</summary>
    public double Scale { get; init => field = OptionCheck.Range(value, -1, 1.75, nameof(Scale)); } = 1.29;

    private protected override bool Normal => false;

    private protected override double Level(double drawn)
    {
        double cosine = Math.Cos(Math.PI * drawn / 2);
        return Math.Clamp(1 - drawn - Scale * (cosine * cosine - 1 + drawn), 0, 1);
    }
}
