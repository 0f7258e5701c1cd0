using TorchSharp.Modules;

namespace Dsd.Models.Training.Optimizers;

/// <summary>Settings of <see cref="AdamW"/> that stay the same during a run.</summary>
public sealed record AdamWOptions : OptimizerOptions
{
    /// <inheritdoc/>
    internal override double StateBytes => 8;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<Parameter> parameters, IEnumerable<IEnumerable<Parameter>>? replicas = null) =>
        new AdamW(parameters, this, replicas);
}
