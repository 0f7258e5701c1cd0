using TorchSharp.Modules;

namespace Dsd.Models.Training.Optimizers;

/// <summary>Settings of <see cref="EightBitAdamW"/> that stay the same during a run.</summary>
public sealed record EightBitAdamWOptions : OptimizerOptions
{
    /// <inheritdoc/>
    internal override double StateBytes => 2 + (8.0 / 256);

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<Parameter> parameters, IEnumerable<IEnumerable<Parameter>>? replicas = null) =>
        new EightBitAdamW(parameters, this, replicas);
}
