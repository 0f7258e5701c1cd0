using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>What a linear layer multiplies with and adds.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs].</param>
/// <param name="Factors">Of weights in eight bits, one for each output: [outputs]. Null for others.</param>
internal readonly record struct LinearWeights(Tensor Weight, Tensor Bias, Tensor? Factors);
