using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>What an adapter adds to one linear layer: <c>W + alpha / rank · B·A</c>.</summary>
/// <param name="A">[rank, inputs], on the CPU. It belongs to its adapter.</param>
/// <param name="B">[outputs, rank], on the CPU. It belongs to its adapter.</param>
/// <param name="Alpha">What the product is multiplied by, before it is divided by the rank.</param>
public sealed record LoraFactors(Tensor A, Tensor B, float Alpha)
{
    /// <summary>The inner dimension of the two factors.</summary>
    public int Rank => (int)A.shape[0];

    /// <summary>What the product is multiplied by: alpha over rank.</summary>
    public float Scale => Alpha / Rank;
}
