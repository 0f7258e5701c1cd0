namespace Dsd.Onnx.Graph;

/// <summary>A tensor that flows through a graph: an input, an initializer, or an output of a node.</summary>
/// <param name="Name">Its name, unique in the graph.</param>
public readonly record struct Value(string Name);
