using Dsd.Onnx.Graph;
using Google.Protobuf;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// The nodes of a model that compute from shapes and constants alone, such as the size that a tensor is reshaped to. ONNX Runtime puts them on the processor
/// on purpose, whatever computes the rest.
/// </summary>
internal static class ShapeArithmetic
{
    /// <summary>Their names. Weights are skipped, so that a model of gigabytes takes no memory.</summary>
    public static IReadOnlySet<string> NodesOf(string modelFile)
    {
        using FileStream stream = File.OpenRead(modelFile);
        using CodedInputStream input = new(stream);
        List<NodeProto> nodes = [];
        HashSet<string> data = [];
        Fields(input, stream.Length, field =>
        {
            if (field != ModelProto.GraphFieldNumber)
            {
                return false;
            }
            int length = input.ReadLength();
            Fields(input, input.Position + length, inner => Graph(input, inner, nodes, data));
            return true;
        });
        HashSet<string> found = [];
        foreach (NodeProto node in nodes)
        {
            if (node.OpType is "Shape" or "Size" || !node.Input.Any(data.Contains))
            {
                found.Add(node.Name);
            }
            else
            {
                data.UnionWith(node.Output);
            }
        }
        return found;
    }

    // The model's inputs are the first data; a node that data reaches passes it on. Nodes stand in the order in which they run.
    private static bool Graph(CodedInputStream input, int field, List<NodeProto> nodes, HashSet<string> data)
    {
        switch (field)
        {
            case GraphProto.NodeFieldNumber:
                NodeProto node = new();
                input.ReadMessage(node);
                nodes.Add(node);
                return true;
            case GraphProto.InputFieldNumber:
                ValueInfoProto value = new();
                input.ReadMessage(value);
                data.Add(value.Name);
                return true;
            default:
                return false;
        }
    }

    private static void Fields(CodedInputStream input, long end, Func<int, bool> read)
    {
        while (input.Position < end)
        {
            uint tag = input.ReadTag();
            if (!read(WireFormat.GetTagFieldNumber(tag)))
            {
                input.SkipLastField();
            }
        }
    }
}
