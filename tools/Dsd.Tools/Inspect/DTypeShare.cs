namespace Dsd.Tools.Inspect;

/// <summary>How much of a set of weights has one element type.</summary>
/// <param name="Tensors">How many tensors.</param>
/// <param name="Parameters">How many elements.</param>
/// <param name="Bytes">How many bytes.</param>
internal sealed record DTypeShare(int Tensors, long Parameters, long Bytes);
