namespace Dsd.Onnx.Runtime;

/// <summary>A node of a model that ONNX Runtime has opened.</summary>
/// <param name="Provider">What runs it, as ONNX Runtime calls it.</param>
/// <param name="Name">Its name. One that the optimiser made is in no file.</param>
/// <param name="Operator">Its operator.</param>
internal readonly record struct PlacedNode(string Provider, string Name, string Operator);
