using Dsd.Common.Options;
using TorchSharp.Modules;

namespace Dsd.Models.Training.Optimizers;

/// <summary>Settings of <see cref="AdamW"/> that stay the same during a run.</summary>
public sealed record AdamWOptions : OptimizerOptions
{
    /// <summary>Decay of the mean of gradients, in 0…1. Default 0.9.</summary>
    public double Beta1 { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Beta1)); } = 0.9;

    /// <summary>Decay of the mean of squared gradients, in 0…1. Default 0.999.</summary>
    public double Beta2 { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Beta2)); } = 0.999;

    /// <summary>Added to the root of the squared gradients. Default 1e-8.</summary>
    public double Epsilon { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Epsilon)); } = 1e-8;

    /// <summary>Share of a weight that a step at learning rate 1 takes away, apart from its gradient. Default 0.01.</summary>
    public double WeightDecay { get; init => field = OptionCheck.Range(value, 0, 100, nameof(WeightDecay)); } = 0.01;

    /// <inheritdoc/>
    internal override double StateBytes => 8;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<Parameter> parameters, IEnumerable<IEnumerable<Parameter>>? replicas = null) =>
        new AdamW(parameters, this, replicas);
}
