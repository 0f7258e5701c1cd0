using System.Text.Json.Serialization;

namespace Dsd.Tools.Inspect;

/// <summary>An input or output of an ONNX model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">The element type: FLOAT, INT64 …</param>
/// <param name="Shape">Each dimension as a number, or as a name where it may vary.</param>
internal sealed record OnnxValue(string Name, [property: JsonPropertyName("dtype")] string DType, string[] Shape);
