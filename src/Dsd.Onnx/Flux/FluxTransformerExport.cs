using Dsd.Models.Flux;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Flux;

/// <summary>
/// The FLUX transformer, plain or conditional, of any batch and numbers of tokens. Inputs under diffusers' names: <c>hidden_states</c>
/// [batch, image tokens, in channels], <c>condition_hidden_states</c> (conditional models), <c>encoder_hidden_states</c>, <c>pooled_projections</c>,
/// <c>timestep</c> (sigma in 0…1), <c>img_ids</c>, <c>txt_ids</c> and <c>guidance</c> (models that embed it); output <c>sample</c>.
/// </summary>
internal sealed class FluxTransformerExport
{
    private const float Epsilon = 1e-6f;
    private const double Theta = 10000;
    private const int Frequencies = 128;
    private const float TimestepScale = 1000f;

    private readonly FluxConfig _config;
    private readonly GraphBuilder _graph = new("transformer");
    private readonly Layers _layers;

    private FluxTransformerExport(FluxConfig config, CheckpointWeights weights)
    {
        _config = config;
        _layers = new Layers(_graph, weights);
    }

    private int Width => _config.Width;

    /// <summary>The graph, from a checkpoint in diffusers' layout.</summary>
    public static GraphBuilder Build(FluxConfig config, CheckpointWeights weights) => new FluxTransformerExport(config, weights).Build();

    private GraphBuilder Build()
    {
        Value latents = _graph.Input("hidden_states", DataType.Float, "batch", "image_tokens", $"{_config.InChannels}");
        Value? condition = _config.Conditional
            ? _graph.Input("condition_hidden_states", DataType.Float, "batch", "image_tokens", $"{_config.InChannels}")
            : null;
        Value prompt = _graph.Input("encoder_hidden_states", DataType.Float, "batch", "text_tokens", $"{_config.JointAttentionDim}");
        Value pooled = _graph.Input("pooled_projections", DataType.Float, "batch", $"{_config.PooledProjectionDim}");
        Value sigma = _graph.Input("timestep", DataType.Float, "batch");
        Value imageIds = _graph.Input("img_ids", DataType.Float, "image_tokens", "3");
        Value textIds = _graph.Input("txt_ids", DataType.Float, "text_tokens", "3");
        Value? guidance = _config.GuidanceEmbeds ? _graph.Input("guidance", DataType.Float, "batch") : null;

        // Embed tokens, noise level and positions.
        Value image = _layers.Linear(latents, "x_embedder", _config.InChannels, Width); // [batch, image, width]
        if (condition is { } c)
        {
            image = _graph.Add(image, _layers.Linear(c, "c_embedder", _config.InChannels, Width));
        }
        Value text = _layers.Linear(prompt, "context_embedder", _config.JointAttentionDim, Width); // [batch, text, width]
        Value modulation = _layers.Silu(TimeTextEmbedding(sigma, guidance, pooled)); // [batch, width]
        (Value Cos, Value Sin) rotary = RotaryAngles(_graph.Concat(0, textIds, imageIds)); // [text + image, head]

        // Two streams that attend to each other, then one.
        Value textTokens = _graph.Dimension(prompt, 1);
        for (int i = 0; i < _config.NumLayers; i++)
        {
            using IDisposable block = _graph.Scope($"transformer_blocks.{i}");
            (image, text) = DoubleBlock(image, text, modulation, rotary, textTokens);
        }
        Value tokens = _graph.Concat(1, text, image); // [batch, text + image, width]
        for (int i = 0; i < _config.NumSingleLayers; i++)
        {
            using IDisposable block = _graph.Scope($"single_transformer_blocks.{i}");
            tokens = SingleBlock(tokens, modulation, rotary);
        }

        // Image tokens to velocities.
        image = FromTokenOn(tokens, textTokens);
        using (_graph.Scope("norm_out"))
        {
            Value[] parts = Modulation(modulation, "linear", 2);
            image = _layers.ModulatedNorm(image, scale: parts[0], shift: parts[1], Width, Epsilon);
        }
        Value sample = _layers.Linear(image, "proj_out", Width, _config.OutputChannels);
        _graph.Output("sample", sample, DataType.Float, "batch", "image_tokens", $"{_config.OutputChannels}");
        return _graph;
    }

    private (Value Image, Value Text) DoubleBlock(Value image, Value text, Value modulation, (Value, Value) rotary, Value textTokens)
    {
        Value[] imageParts = Modulation(modulation, "norm1.linear", 6); // shift, scale, gate of attention; shift, scale, gate of the MLP
        Value[] textParts = Modulation(modulation, "norm1_context.linear", 6);
        Value imageNormal = _layers.ModulatedNorm(image, scale: imageParts[1], shift: imageParts[0], Width, Epsilon);
        Value textNormal = _layers.ModulatedNorm(text, scale: textParts[1], shift: textParts[0], Width, Epsilon);

        using (_graph.Scope("attn"))
        {
            Value q = JoinStreams(Head(textNormal, "add_q_proj", "norm_added_q"), Head(imageNormal, "to_q", "norm_q"));
            Value k = JoinStreams(Head(textNormal, "add_k_proj", "norm_added_k"), Head(imageNormal, "to_k", "norm_k"));
            Value v = JoinStreams(Head(textNormal, "add_v_proj"), Head(imageNormal, "to_v"));
            Value attended = Attend(q, k, v, rotary); // [batch, text + image, width]
            Value imageAttended = _layers.Linear(FromTokenOn(attended, textTokens), "to_out.0", Width, Width);
            Value textAttended = _layers.Linear(_graph.Slice(attended, _graph.Ints(0), textTokens, 1), "to_add_out", Width, Width);
            image = _graph.Add(image, _graph.Mul(imageParts[2], imageAttended));
            text = _graph.Add(text, _graph.Mul(textParts[2], textAttended));
        }

        imageNormal = _layers.ModulatedNorm(image, scale: imageParts[4], shift: imageParts[3], Width, Epsilon);
        textNormal = _layers.ModulatedNorm(text, scale: textParts[4], shift: textParts[3], Width, Epsilon);
        image = _graph.Add(image, _graph.Mul(imageParts[5], FeedForward(imageNormal, "ff")));
        text = _graph.Add(text, _graph.Mul(textParts[5], FeedForward(textNormal, "ff_context")));
        return (image, text);
    }

    private Value SingleBlock(Value tokens, Value modulation, (Value, Value) rotary)
    {
        Value[] parts = Modulation(modulation, "norm.linear", 3); // shift, scale, gate
        Value normal = _layers.ModulatedNorm(tokens, scale: parts[1], shift: parts[0], Width, Epsilon);
        Value hidden = _graph.Gelu(_layers.Linear(normal, "proj_mlp", Width, 4 * Width), tanh: true);
        Value attended;
        using (_graph.Scope("attn"))
        {
            attended = Attend(Head(normal, "to_q", "norm_q"), Head(normal, "to_k", "norm_k"), Head(normal, "to_v"), rotary);
        }
        Value both = _graph.Concat(2, attended, hidden); // [batch, tokens, 5 · width]
        return _graph.Add(tokens, _graph.Mul(parts[2], _layers.Linear(both, "proj_out", 5 * Width, Width)));
    }

    /// <summary>A projection as heads [batch, heads, tokens, head], normalised a head where a norm is named.</summary>
    private Value Head(Value x, string module, string? norm = null)
    {
        Value heads = _layers.SplitHeads(_layers.Linear(x, module, Width, Width), _config.NumAttentionHeads, _config.AttentionHeadDim);
        return norm is null ? heads : _layers.RmsNorm(heads, norm, _config.AttentionHeadDim, Epsilon);
    }

    private Value JoinStreams(Value text, Value image) => _graph.Concat(2, text, image);

    private Value Attend(Value q, Value k, Value v, (Value, Value) rotary)
    {
        float scale = 1f / MathF.Sqrt(_config.AttentionHeadDim);
        Value attended = _layers.Attention(Rotate(q, rotary), Rotate(k, rotary), v, scale);
        return _layers.MergeHeads(attended, _config.NumAttentionHeads, _config.AttentionHeadDim);
    }

    private Value FeedForward(Value x, string module)
    {
        using IDisposable scope = _graph.Scope(module);
        return _layers.Linear(_graph.Gelu(_layers.Linear(x, "net.0.proj", Width, 4 * Width), tanh: true), "net.2", 4 * Width, Width);
    }

    /// <summary>Shifts, scales and gates, each [batch, 1, width].</summary>
    private Value[] Modulation(Value modulation, string module, int parts) =>
        _graph.Split(_graph.Unsqueeze(_layers.Linear(modulation, module, Width, parts * Width), 1), axis: -1, parts);

    private Value FromTokenOn(Value tokens, Value first) => _graph.Slice(tokens, first, _graph.Ints(long.MaxValue), 1);

    private Value TimeTextEmbedding(Value sigma, Value? guidance, Value pooled)
    {
        using IDisposable scope = _graph.Scope("time_text_embed");
        Value embedding = Mlp(Sinusoid(sigma), "timestep_embedder", 2 * Frequencies);
        if (guidance is { } g)
        {
            embedding = _graph.Add(embedding, Mlp(Sinusoid(g), "guidance_embedder", 2 * Frequencies));
        }
        return _graph.Add(embedding, Mlp(pooled, "text_embedder", _config.PooledProjectionDim)); // [batch, width]
    }

    private Value Mlp(Value x, string module, int inputs)
    {
        using IDisposable scope = _graph.Scope(module);
        return _layers.Linear(_layers.Silu(_layers.Linear(x, "linear_1", inputs, Width)), "linear_2", Width, Width);
    }

    /// <summary>Cosines, then sines, of a value [batch] times 1000 at frequencies from 1 down to 1 / 10000.</summary>
    private Value Sinusoid(Value value)
    {
        float step = (float)(-Math.Log(10000) / Frequencies);
        float[] frequencies = [.. Enumerable.Range(0, Frequencies).Select(i => MathF.Exp(i * step))];
        Value scaled = _graph.Unsqueeze(_graph.Mul(value, _graph.Float(TimestepScale)), 1);
        Value angles = _graph.Mul(scaled, _graph.Floats("frequencies", frequencies, Frequencies)); // [batch, 128]
        return _graph.Concat(1, _graph.Cos(angles), _graph.Sin(angles));
    }

    /// <summary>Cosines and sines [tokens, head] for position ids [tokens, 3].</summary>
    private (Value Cos, Value Sin) RotaryAngles(Value ids)
    {
        using IDisposable scope = _graph.Scope("pos_embed");
        // Row a holds the frequencies of axis a at its channels, each twice, and zero elsewhere: one product gives every angle.
        // Double precision, because in single precision the angles of far positions lose digits.
        int head = _config.AttentionHeadDim;
        double[] frequencies = new double[_config.AxesDimsRope.Count * head];
        int channel = 0;
        for (int axis = 0; axis < _config.AxesDimsRope.Count; axis++)
        {
            int dim = _config.AxesDimsRope[axis];
            for (int i = 0; i < dim; i++)
            {
                frequencies[axis * head + channel++] = 1 / Math.Pow(Theta, (double)(i / 2 * 2) / dim);
            }
        }
        Value angles = _graph.MatMul(_graph.Cast(ids, DataType.Double), _graph.Doubles("frequencies", frequencies, _config.AxesDimsRope.Count, head));
        return (_graph.Cast(_graph.Cos(angles), DataType.Float), _graph.Cast(_graph.Sin(angles), DataType.Float));
    }

    /// <summary>Rotates neighbouring pairs of channels of x [batch, heads, tokens, head].</summary>
    private Value Rotate(Value x, (Value Cos, Value Sin) rotary)
    {
        // (a, b) → (−b, a) for every pair, as a product: no slicing along the innermost dimension.
        int head = _config.AttentionHeadDim;
        float[] quarterTurn = new float[head * head];
        for (int i = 0; i < head; i += 2)
        {
            quarterTurn[(i + 1) * head + i] = -1f;
            quarterTurn[i * head + i + 1] = 1f;
        }
        Value turned = _graph.MatMul(x, _graph.Constant(Initializer.Of("pos_embed.quarter_turn", quarterTurn, head, head)));
        return _graph.Add(_graph.Mul(x, rotary.Cos), _graph.Mul(turned, rotary.Sin));
    }
}
