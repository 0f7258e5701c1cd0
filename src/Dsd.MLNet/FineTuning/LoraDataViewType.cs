using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>The type of a column that holds <see cref="LoraWeights"/>.</summary>
public sealed class LoraDataViewType : StructuredDataViewType
{
    /// <summary>The type; all its instances are equal.</summary>
    public LoraDataViewType()
        : base(typeof(LoraWeights))
    {
    }

    /// <inheritdoc/>
    public override bool Equals(DataViewType? other) => other is LoraDataViewType;

    /// <inheritdoc/>
    public override bool Equals(object? other) => other is LoraDataViewType;

    /// <inheritdoc/>
    public override int GetHashCode() => typeof(LoraDataViewType).GetHashCode();

    /// <summary>The name in schemas and messages: <c>Lora</c>.</summary>
    public override string ToString() => "Lora";
}
