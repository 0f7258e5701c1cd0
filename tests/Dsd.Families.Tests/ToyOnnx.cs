using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Families;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;

namespace Dsd.Families.Tests;

/// <summary>The toy family as ONNX.</summary>
public sealed class ToyOnnx : OnnxFamily
{
    public override string Name => "toy";

    public override ExportPlan Plan(ModelFolder model, OnnxExportOptions options, bool bringsCondition)
    {
        VaeConfig vae = model.ReadConfig<VaeConfig>("vae");
        ClipTextConfig clip = model.ReadConfig<ClipTextConfig>("text_encoder");
        return new ExportPlan
        {
            Conditional = bringsCondition,
            Guidance = false,
            Network = new ExportedNetwork(
                model.ComponentFolder("transformer"),
                new ExportedModel("transformer", weights => Build(weights, vae.LatentChannels, clip.HiddenSize, bringsCondition))),
            TextEncoders =
            [
                new ExportedNetwork(
                    model.ComponentFolder("text_encoder"), new ExportedModel("text_encoder", weights => ClipTextExport.Build(clip, weights)))
                {
                    Belongs = ClipTextExport.Belongs,
                    IsClip = true,
                },
            ],
            Copied = ["tokenizer", "scheduler"],
            Vae = vae,
            Patch = ToyFamily.Patch,
            Frames = FrameOrder.Below,
        };
    }

    public override IReadOnlyList<ExportedNetwork> Adaptable(OnnxModelFolder folder)
    {
        ModelFolder configs = ModelFolder.OpenParts(folder.Path);
        ClipTextConfig clip = configs.ReadConfig<ClipTextConfig>("text_encoder");
        int channels = configs.ReadConfig<VaeConfig>("vae_decoder").LatentChannels;
        return
        [
            new ExportedNetwork(
                folder.Folder("transformer"),
                new ExportedModel("transformer", weights => Build(weights, channels, clip.HiddenSize, folder.IsConditional))),
            new ExportedNetwork(
                folder.Folder("text_encoder"), new ExportedModel("text_encoder", weights => ClipTextExport.Build(clip, weights))) { IsClip = true },
        ];
    }

    public override PromptInputs Open(OnnxModelFolder folder, OnnxSessions sessions) => new Pooled(ClipTokenizer.Load(folder.Folder("tokenizer")), sessions);

    private static GraphBuilder Build(CheckpointWeights weights, int channels, int text, bool conditional)
    {
        GraphBuilder graph = new("toy");
        Layers layers = new(graph, weights);
        Value tokens = layers.Linear(graph.Input("hidden_states", "batch", "tokens", $"{channels}"), "x_embedder", channels, ToyNetwork.Width);
        if (conditional)
        {
            Value condition = graph.Input("condition_hidden_states", "batch", "tokens", $"{channels}");
            tokens = graph.Add(tokens, layers.Linear(condition, "c_embedder", channels, ToyNetwork.Width));
        }
        Value prompt = layers.Linear(graph.Input("pooled_projections", "batch", $"{text}"), "text_embedder", text, ToyNetwork.Width);
        Value sigma = graph.Input("timestep", "batch");
        tokens = graph.Add(graph.Add(tokens, graph.Unsqueeze(prompt, 1)), graph.Reshape(sigma, -1, 1, 1));
        Value hidden = graph.Relu(layers.Linear(tokens, "hidden", ToyNetwork.Width, ToyNetwork.Width));
        graph.Output("sample", layers.Linear(hidden, "proj_out", ToyNetwork.Width, channels), "batch", "tokens", $"{channels}");
        return graph;
    }

    private sealed class Pooled(ClipTokenizer tokenizer, OnnxSessions sessions) : PromptInputs
    {
        public override NetworkInputs Of(NetworkRows rows)
        {
            int count = rows.Prompts.Count;
            float[] sigmas = [.. rows.Sigmas.SelectMany(s => Enumerable.Repeat(s, count))];
            return new NetworkInputs(
                [("pooled_projections", Encode(
                    rows.Prompts, sessions, "text_encoder", 1, tokenizer, tokenizer.MaxLength, "CLIP", rows.Warn, rows.CancellationToken))],
                [new NetworkPiece("timestep", count)],
                OnnxTensor.Of(sigmas, rows.Sigmas.Count, count));
        }
    }
}
