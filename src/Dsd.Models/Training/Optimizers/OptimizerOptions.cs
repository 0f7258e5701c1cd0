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
