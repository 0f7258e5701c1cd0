using Dsd.Models.Acceleration;
using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>What a linear layer multiplies with and adds.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs].</param>
/// <param name="Factors">Of weights in eight bits, one for each output: [outputs]. Null for others.</param>
internal readonly record struct LinearWeights(Tensor Weight, Tensor Bias, Tensor? Factors)
{
    /// <summary>The same with weights of eight bits as the numbers that they stand for, in bfloat16: a new tensor.</summary>
    public LinearWeights Widened() =>
        Factors is { } factors ? new LinearWeights(BlockKernels.FromFloat8(new Float8Rows(Weight, factors)), Bias, null) : this;
}
