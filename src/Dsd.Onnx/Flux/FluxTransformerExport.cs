using Dsd.Models.Flux;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Flux;

/// <summary>
/// The FLUX transformer, plain or conditional, of any number of tokens. Inputs under diffusers' names: <c>hidden_states</c>
/// [batch, image tokens, in channels], <c>condition_hidden_states</c> (conditional models) and <c>encoder_hidden_states</c>; and what
/// <see cref="FluxModulationExport"/> gives: <c>rotary_cos</c> and <c>rotary_sin</c> [batch, text + image tokens, head / 2], and a row of the modulation in
/// pieces, <c>modulation.…</c>, one for each layer of <see cref="FluxModulationInputs"/>; and the factors of adapters, if the format has them:
/// <see cref="AdapterInput"/>, and <c>c_embedder</c>'s weight and bias, which may be left out. Output <c>sample</c>.
/// </summary>
internal sealed class FluxTransformerExport
{
    private readonly FluxConfig _config;
    private readonly GraphBuilder _graph;
    private readonly FluxOperators _operators;
    private readonly Layers _layers; // of the blocks
    private readonly Layers _ends; // of what stands before and after them, in the graph's own type

    private FluxTransformerExport(FluxConfig config, CheckpointWeights weights, GraphFormat format)
    {
        _config = config;
        _graph = new GraphBuilder("transformer", format.Floats);
        _operators = FluxOperators.Of(config, _graph, weights, format);
        _layers = new Layers(_graph, weights, format.Bits, format.IntProducts, format.AdapterInputs);
        _ends = new Layers(_graph, weights, adapterInputs: format.AdapterInputs);
    }

    private int Width => _config.Width;

    private float Scale => _operators.StreamScale;

    /// <summary>The graph, from a checkpoint in diffusers' layout.</summary>
    public static GraphBuilder Build(FluxConfig config, CheckpointWeights weights, GraphFormat format) =>
        new FluxTransformerExport(config, weights, format).Build();

    private GraphBuilder Build()
    {
        Value latents = _graph.Input("hidden_states", "batch", "image_tokens", $"{_config.InChannels}");
        Value? condition = _config.Conditional ? _graph.Input("condition_hidden_states", "batch", "image_tokens", $"{_config.InChannels}") : null;
        Value prompt = _graph.Input("encoder_hidden_states", "batch", "text_tokens", $"{_config.JointAttentionDim}");
        Rotary rotary = new(RotaryInput("rotary_cos"), RotaryInput("rotary_sin"));
        Dictionary<string, Value[]> modulations = FluxModulationInputs.Of(_config)
            .ToDictionary(e => e.Module, e => _operators.Parts(_operators.ModulationInput(e), e.Parts));

        // Embed tokens.
        Value embedded = _ends.Linear(latents, "x_embedder", _config.InChannels, Width, scale: Scale); // [batch, image, width]
        if (condition is { } c)
        {
            embedded = _graph.Add(embedded, _ends.Replaceable(c, "c_embedder", _config.InChannels, Width, Scale));
        }
        FluxStream image = FluxOperators.Stream(embedded);
        FluxStream text = FluxOperators.Stream( // [batch, text, width]
            _ends.Linear(prompt, "context_embedder", _config.JointAttentionDim, Width, scale: Scale));

        // Two streams that attend to each other, then one.
        Value textTokens = _graph.Dimension(prompt, 1);
        for (int i = 0; i < _config.NumLayers; i++)
        {
            string block = $"transformer_blocks.{i}";
            using IDisposable scope = _graph.Scope(block);
            (image, text) = DoubleBlock(image, text, modulations[$"{block}.norm1.linear"], modulations[$"{block}.norm1_context.linear"], rotary, textTokens);
        }
        FluxStream tokens = FluxOperators.Stream(_graph.Concat(1, _operators.Tokens(text), _operators.Tokens(image))); // [batch, text + image, width]
        for (int i = 0; i < _config.NumSingleLayers; i++)
        {
            string block = $"single_transformer_blocks.{i}";
            using IDisposable scope = _graph.Scope(block);
            tokens = SingleBlock(tokens, modulations[$"{block}.norm.linear"], rotary);
        }

        // Image tokens to velocities.
        Value last = FromTokenOn(_operators.Tokens(tokens), textTokens);
        Value[] parts = modulations["norm_out.linear"]; // scale, shift
        (Value normal, _) = _operators.Norm(FluxOperators.Stream(last), parts[0], parts[1]);
        Value sample = _ends.Linear(normal, "proj_out", Width, _config.OutputChannels);
        _graph.Output("sample", sample, "batch", "image_tokens", $"{_config.OutputChannels}");
        return _graph;
    }

    private (FluxStream Image, FluxStream Text) DoubleBlock(
        FluxStream image, FluxStream text, Value[] imageParts, Value[] textParts, Rotary rotary, Value textTokens)
    {
        // Parts are shift, scale, gate of the attention; shift, scale, gate of the MLP.
        (Value imageNormal, image) = _operators.Norm(image, imageParts[1], imageParts[0]);
        (Value textNormal, text) = _operators.Norm(text, textParts[1], textParts[0]);
        using (_graph.Scope("attn"))
        {
            Value q = JoinStreams(_operators.Head(textNormal, "add_q_proj", "norm_added_q"), _operators.Head(imageNormal, "to_q", "norm_q"));
            Value k = JoinStreams(_operators.Head(textNormal, "add_k_proj", "norm_added_k"), _operators.Head(imageNormal, "to_k", "norm_k"));
            Value v = JoinStreams(_operators.Values(textNormal, "add_v_proj", "to_v"), _operators.Values(imageNormal, "to_v", "to_v"));
            Value attended = Attend(q, k, v, rotary); // [batch, text + image, width]
            image = _operators.Add(
                image, imageParts[2], _layers.Product(FromTokenOn(attended, textTokens), "to_out.0", Width, Width, Scale),
                _operators.OutputBias("to_out.0", Width, "to_v"));
            text = _operators.Add(
                text, textParts[2], _layers.Product(_graph.Slice(attended, _graph.Ints(0), textTokens, 1), "to_add_out", Width, Width, Scale),
                _operators.OutputBias("to_add_out", Width, "to_v"));
        }

        (imageNormal, image) = _operators.Norm(image, imageParts[4], imageParts[3]);
        (textNormal, text) = _operators.Norm(text, textParts[4], textParts[3]);
        return (FeedForward(image, imageNormal, imageParts[5], "ff"), FeedForward(text, textNormal, textParts[5], "ff_context"));
    }

    private FluxStream SingleBlock(FluxStream tokens, Value[] parts, Rotary rotary)
    {
        (Value normal, tokens) = _operators.Norm(tokens, parts[1], parts[0]); // parts are shift, scale, gate
        Value hidden = _operators.Hidden(normal, "proj_mlp", 4 * Width);
        Value attended;
        using (_graph.Scope("attn"))
        {
            Value q = _operators.Head(normal, "to_q", "norm_q");
            Value k = _operators.Head(normal, "to_k", "norm_k");
            attended = Attend(q, k, _operators.Values(normal, "to_v", "to_v"), rotary);
        }
        // One layer over both side by side, as the sum of its two halves.
        Value product = _graph.Add(
            _layers.Product(attended, "proj_out", 5 * Width, Width, Scale, 0, Width),
            _layers.Product(hidden, "proj_out", 5 * Width, Width, Scale, Width, 4 * Width));
        Value bias = _operators.OutputBias("proj_out", 5 * Width, "attn.to_v");
        return _operators.Add(tokens, parts[2], product, bias);
    }

    private Value JoinStreams(Value text, Value image) => _graph.Concat(1, text, image);

    private Value Attend(Value q, Value k, Value v, Rotary rotary) => _operators.Attention(Rotate(q, rotary), Rotate(k, rotary), v);

    private Value Rotate(Value x, Rotary rotary) => _graph.RotaryEmbedding(x, rotary.Cos, rotary.Sin, _config.NumAttentionHeads);

    private FluxStream FeedForward(FluxStream stream, Value normal, Value gate, string module)
    {
        using IDisposable scope = _graph.Scope(module);
        Value product = _layers.Product(_operators.Hidden(normal, "net.0.proj", 4 * Width), "net.2", 4 * Width, Width, Scale);
        using IDisposable layer = _graph.Scope("net.2");
        return _operators.Add(stream, gate, product, _layers.ScaledWeight("bias", Scale, Width));
    }

    private Value FromTokenOn(Value tokens, Value first) => _graph.Slice(tokens, first, _graph.Ints(long.MaxValue), 1);

    private Value RotaryInput(string name) => _graph.Input(name, _graph.Floats, "batch", "tokens", $"{_config.AttentionHeadDim / 2}");

    private readonly record struct Rotary(Value Cos, Value Sin);
}
