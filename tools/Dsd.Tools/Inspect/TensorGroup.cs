using System.Text.Json.Serialization;

namespace Dsd.Tools.Inspect;

/// <summary>Tensors of one type and shape whose names differ in running numbers alone.</summary>
/// <param name="Names">The names with their numbers as ranges: <c>transformer_blocks.{0-18}.attn.to_q.weight</c>.</param>
/// <param name="DType">The element type by the format's name.</param>
/// <param name="Shape">The shape that all of them have.</param>
/// <param name="Count">How many there are.</param>
internal sealed record TensorGroup(string Names, [property: JsonPropertyName("dtype")] string DType, long[] Shape, int Count);
