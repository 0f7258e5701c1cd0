using Dsd.Common.Options;
using TorchSharp.Modules;

namespace Dsd.Models.Training.Optimizers;

/// <summary>
/// Settings of <see cref="Prodigy"/> that stay the same during a run. It finds the size of its steps by itself, and a run's learning rate only
/// multiplies it: set that to 1, where other optimisers take 1e-4.
/// </summary>
public sealed record ProdigyOptions : OptimizerOptions
{
    /// <summary>
    /// The first estimate of the distance to a solution, which only grows: too small costs a few steps, too large cannot be undone. Default 1e-6.
    /// </summary>
    public double InitialDistance { get; init => field = OptionCheck.Range(value, 1e-12, 1, nameof(InitialDistance)); } = 1e-6;

    /// <summary>Multiplies the estimate, 0.01 to 100. Default 1.</summary>
    public double DistanceFactor { get; init => field = OptionCheck.Range(value, 0.01, 100, nameof(DistanceFactor)); } = 1;

    /// <inheritdoc/>
    internal override double StateBytes => 16;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<Parameter> parameters, IEnumerable<IEnumerable<Parameter>>? replicas = null) =>
        new Prodigy(parameters, this, replicas);
}
