using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// Asks a session on which provider each of its nodes was placed. ONNX Runtime's managed library lists the functions for it (<see cref="OrtApi"/>), but
/// calls none of them, so they are called here.
/// </summary>
internal static unsafe partial class PlacementReader
{
    // The first version of the interface that has them.
    private const uint ApiVersion = 24;

    /// <summary>What a session's options need, so that it can be asked.</summary>
    public static void Record(SessionOptions session) => session.AddSessionConfigEntry("session.record_ep_graph_assignment_info", "1");

    /// <summary>The nodes as they were after the basic optimisations: providers may have fused some of them since.</summary>
    /// <exception cref="InvalidOperationException">The session cannot tell, since its options were not set by <see cref="Record"/>.</exception>
    public static IReadOnlyList<PlacedNode> Read(InferenceSession session)
    {
        Api api = Api.Load();
        List<PlacedNode> placed = [];
        nint* subgraphs;
        nuint subgraphCount;
        api.Check(((delegate* unmanaged<nint, nint**, nuint*, nint>)api.Subgraphs)(HandleOf(session), &subgraphs, &subgraphCount));
        for (nuint i = 0; i < subgraphCount; i++)
        {
            string provider = api.Text(api.Provider, subgraphs[i]);
            nint* nodes;
            nuint nodeCount;
            api.Check(((delegate* unmanaged<nint, nint**, nuint*, nint>)api.Nodes)(subgraphs[i], &nodes, &nodeCount));
            for (nuint k = 0; k < nodeCount; k++)
            {
                placed.Add(new PlacedNode(provider, api.Text(api.Name, nodes[k]), api.Text(api.Operator, nodes[k])));
            }
        }
        GC.KeepAlive(session);
        return placed;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Handle")]
    private static extern nint HandleOf(InferenceSession session);

    [LibraryImport("onnxruntime")]
    private static partial OrtApiBase* OrtGetApiBase();

    private readonly record struct Api(nint Subgraphs, nint Provider, nint Nodes, nint Name, nint Operator, nint Message, nint Release)
    {
        public static Api Load()
        {
            nint api = ((delegate* unmanaged<uint, nint>)OrtGetApiBase()->GetApi)(ApiVersion);
            nint Function(string name) => Marshal.ReadIntPtr(api, (int)Marshal.OffsetOf<OrtApi>(name));
            return new Api(
                Function(nameof(OrtApi.Session_GetEpGraphAssignmentInfo)),
                Function(nameof(OrtApi.EpAssignedSubgraph_GetEpName)),
                Function(nameof(OrtApi.EpAssignedSubgraph_GetNodes)),
                Function(nameof(OrtApi.EpAssignedNode_GetName)),
                Function(nameof(OrtApi.EpAssignedNode_GetOperatorType)),
                Function(nameof(OrtApi.GetErrorMessage)),
                Function(nameof(OrtApi.ReleaseStatus)));
        }

        /// <summary>A text that an object owns.</summary>
        public string Text(nint function, nint owner)
        {
            byte* text;
            Check(((delegate* unmanaged<nint, byte**, nint>)function)(owner, &text));
            return Marshal.PtrToStringUTF8((nint)text) ?? "";
        }

        public void Check(nint status)
        {
            if (status == 0)
            {
                return;
            }
            string message = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)Message)(status)) ?? "";
            ((delegate* unmanaged<nint, void>)Release)(status);
            throw new InvalidOperationException($"ONNX Runtime cannot say where a model's nodes run: {message}");
        }
    }
}
