using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Timesteps;

/// <summary>
/// How noise levels are drawn in training, 0 for data and 1 for noise: one of <see cref="UniformTimesteps"/>, <see cref="LogitNormalTimesteps"/>,
/// <see cref="ModeTimesteps"/> (Esser et al. 2024, section 3.1).
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "Kind")]
[JsonDerivedType(typeof(UniformTimesteps), "Uniform")]
[JsonDerivedType(typeof(LogitNormalTimesteps), "LogitNormal")]
[JsonDerivedType(typeof(ModeTimesteps), "Mode")]
public abstract record TimestepSampling
{
    private protected TimestepSampling()
    {
    }

    /// <summary>
    /// Whether levels are then moved towards noise as the model's schedule does for the canvas' size, so that training spends its time where sampling
    /// does. Default true.
    /// </summary>
    public bool ResolutionShift { get; init; } = true;

    /// <summary>Draws the level of one example.</summary>
    /// <param name="random">On the CPU. One number is taken from it.</param>
    /// <param name="mu">The schedule's shift, which counts if <see cref="ResolutionShift"/> is set.</param>
    internal float Draw(Generator random, double mu)
    {
        using Tensor drawn = Normal ? randn(1, generator: random) : rand(1, generator: random);
        return (float)FlowMatching.Shift(Level(drawn.item<float>()), ResolutionShift ? mu : 0);
    }

    /// <summary>Whether a level is made of a standard normal number; else it is of one that is even in 0…1.</summary>
    private protected abstract bool Normal { get; }

    private protected abstract double Level(double drawn);
}
