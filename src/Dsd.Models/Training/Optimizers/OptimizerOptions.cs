using System.Text.Json.Serialization;
using Dsd.Common.Options;
using TorchSharp.Modules;

namespace Dsd.Models.Training.Optimizers;

/// <summary>
/// Which optimiser trains, and its settings: one of <see cref="AdamWOptions"/>, <see cref="EightBitAdamWOptions"/>, <see cref="ProdigyOptions"/>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "Kind")]
[JsonDerivedType(typeof(AdamWOptions), "AdamW")]
[JsonDerivedType(typeof(EightBitAdamWOptions), "EightBitAdamW")]
[JsonDerivedType(typeof(ProdigyOptions), "Prodigy")]
public abstract record OptimizerOptions
{
    private protected OptimizerOptions()
    {
    }

    /// <summary>Largest norm over all gradients together; a larger one is scaled down to it. Default 1.</summary>
    public double MaxGradientNorm { get; init => field = OptionCheck.Range(value, 1e-12, double.MaxValue, nameof(MaxGradientNorm)); } = 1.0;

    /// <summary>Decay of the mean of gradients, in 0…1. Default 0.9.</summary>
    public double Beta1 { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Beta1)); } = 0.9;

    /// <summary>Decay of the mean of squared gradients, in 0…1. Default 0.999. Prodigy's estimate forgets with its root.</summary>
    public double Beta2 { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Beta2)); } = 0.999;

    /// <summary>Added to the root of the squared gradients; by Prodigy times its estimate. Default 1e-8.</summary>
    public double Epsilon { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Epsilon)); } = 1e-8;

    /// <summary>
    /// Share of a weight that a step at learning rate 1, or of Prodigy's size 1, takes away, apart from its gradient. Default 0.01.
    /// </summary>
    public double WeightDecay { get; init => field = OptionCheck.Range(value, 0, 100, nameof(WeightDecay)); } = 0.01;

    /// <summary>Bytes of state for each number that learns.</summary>
    internal abstract double StateBytes { get; }

    /// <summary>Numbers that are updated at once: temporaries are as long, whatever there is to train. Tests set it.</summary>
    internal long PieceLength { get; init; } = 16 << 20;

    /// <summary>The optimiser at step 0, which the caller disposes.</summary>
    /// <param name="parameters">What is trained, all on one device, at least one.</param>
    /// <param name="replicas">The same parameters on other devices: see <see cref="Optimizer"/>.</param>
    /// <exception cref="ArgumentException">There is no parameter, or a replica has others.</exception>
    public abstract Optimizer Create(IEnumerable<Parameter> parameters, IEnumerable<IEnumerable<Parameter>>? replicas = null);
}
