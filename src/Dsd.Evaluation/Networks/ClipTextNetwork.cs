using Dsd.Models.Text;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Networks;

/// <summary>CLIP's text tower with its projection: <c>input_ids</c> [batch, tokens] → <c>embedding</c> [batch, projection].</summary>
internal static class ClipTextNetwork
{
    /// <summary>The graph, from a checkpoint in transformers' layout.</summary>
    /// <param name="config">The tower's shape.</param>
    /// <param name="projection">Numbers of an embedding.</param>
    /// <param name="weights">The checkpoint.</param>
    public static GraphBuilder Build(ClipTextConfig config, int projection, CheckpointWeights weights)
    {
        GraphBuilder graph = new("text_encoder");
        Layers layers = new(graph, weights);
        // The tokenizer pads every text to the most tokens. With that many in the graph, ML.NET knows the input's size.
        Value ids = graph.Input(VisionLayers.Ids, ElementType.Int64, "batch", $"{config.MaxPositionEmbeddings}");
        Value pooled;
        using (graph.Scope("text_model"))
        {
            (_, pooled) = ClipTextExport.Encode(graph, layers, config, ids);
        }
        graph.Output(VisionLayers.Embedding, layers.Linear(pooled, "text_projection", config.HiddenSize, projection, bias: false), "batch", $"{projection}");
        return graph;
    }
}
