using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>A gate multiplied into what a layer with weights in eight bits multiplies its outputs by.</summary>
/// <param name="Factors">The layer's factors times the gate: [outputs].</param>
/// <param name="Bias">The layer's bias times the gate: [outputs].</param>
internal readonly record struct GatedProduct(Tensor Factors, Tensor Bias);
