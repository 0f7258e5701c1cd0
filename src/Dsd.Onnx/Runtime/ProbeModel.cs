using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Runtime;

/// <summary>A model of one addition. A provider that opens it can be had.</summary>
internal static class ProbeModel
{
    /// <summary>The model's file.</summary>
    public static byte[] Bytes { get; } = Write();

    private static byte[] Write()
    {
        GraphBuilder graph = new("probe");
        Value x = graph.Input("x", "64");
        graph.Output("y", graph.Add(x, x), "64");
        return ModelWriter.Bytes(graph);
    }
}
