using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>Rows of numbers in eight bits (e4m3), held in bytes, each row with a factor.</summary>
/// <param name="Values">[rows, channels].</param>
/// <param name="Factors">What the rows are to be multiplied by: [rows], 32-bit.</param>
internal readonly record struct Float8Rows(Tensor Values, Tensor Factors);
