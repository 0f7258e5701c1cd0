namespace Dsd.Models.Training.Timesteps;

/// <summary>All noise levels are as likely.</summary>
public sealed record UniformTimesteps : TimestepSampling
{
    private protected override bool Normal => false;

    private protected override double Level(double drawn) => drawn;
}
