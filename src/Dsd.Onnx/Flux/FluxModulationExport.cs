using Dsd.Models.Flux;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Flux;

/// <summary>
/// What the FLUX transformer needs that stays the same for all tokens of a step: run once for all steps of a generation, and closed. A large transformer's
/// is made by several models, each for some of its layers. Inputs: <c>timestep</c> (sigma in 0…1), <c>guidance</c> (models that embed it) and
/// <c>pooled_projections</c>, a row for each step and prompt. Output: <c>modulation</c> [rows, parts · width], in the order of
/// <see cref="FluxModulationInputs"/>, with 1 added to every scale. The first model takes <c>txt_ids</c> and <c>img_ids</c> too, the positions of all
/// tokens, and gives <c>rotary_cos</c> and <c>rotary_sin</c> [1, text + image tokens, head / 2]. Outputs are of the graph's type.
/// </summary>
internal sealed class FluxModulationExport
{
    private const double Theta = 10000;
    private const int Frequencies = 128;
    private const float TimestepScale = 1000f;

    private readonly FluxConfig _config;
    private readonly FluxModulationInputs.Model _model;
    private readonly CheckpointWeights _weights;
    private readonly GraphBuilder _graph;
    private readonly Layers _layers;
    private readonly Layers _embedders;

    private FluxModulationExport(FluxConfig config, FluxModulationInputs.Model model, CheckpointWeights weights, GraphFormat format)
    {
        (_config, _model, _weights) = (config, model, weights);
        _graph = new GraphBuilder(model.Component, format.Floats);
        _layers = new Layers(_graph, weights, format.Bits, format.IntProducts);
        _embedders = new Layers(_graph, weights);
    }

    private int Width => _config.Width;

    /// <summary>The graph of one of the models, from a checkpoint in diffusers' layout.</summary>
    public static GraphBuilder Build(FluxConfig config, FluxModulationInputs.Model model, CheckpointWeights weights, GraphFormat format) =>
        new FluxModulationExport(config, model, weights, format).Build();

    private GraphBuilder Build()
    {
        // Angles are wide whatever the graph's type: 1000 · sigma has more digits than half precision holds.
        Value sigma = _graph.Input("timestep", ElementType.Float32, "rows");
        Value? guidance = _config.GuidanceEmbeds ? _graph.Input("guidance", ElementType.Float32, "rows") : null;
        Value pooled = _graph.Input("pooled_projections", "rows", $"{_config.PooledProjectionDim}");

        Value embedding = _layers.Silu(TimeTextEmbedding(sigma, guidance, pooled)); // [rows, width]
        Value[] parts = [.. _model.Layers.Select(e => Modulation(embedding, e))]; // each [rows, parts · width]
        _graph.Output("modulation", _graph.Concat(1, parts), _graph.Floats, "rows", $"{_model.Layers.Sum(e => e.Parts) * Width}");
        if (_model.HasRotary)
        {
            Value textIds = _graph.Input("txt_ids", ElementType.Float32, "text_tokens", "3");
            Value imageIds = _graph.Input("img_ids", ElementType.Float32, "image_tokens", "3");
            (Value cos, Value sin) = Rotary(_graph.Concat(0, textIds, imageIds));
            _graph.Output("rotary_cos", cos, _graph.Floats, "1", "tokens", $"{_config.AttentionHeadDim / 2}");
            _graph.Output("rotary_sin", sin, _graph.Floats, "1", "tokens", $"{_config.AttentionHeadDim / 2}");
        }
        return _graph;
    }

    private Value TimeTextEmbedding(Value sigma, Value? guidance, Value pooled)
    {
        using IDisposable scope = _graph.Scope("time_text_embed");
        Value embedding = Mlp(Sinusoid(sigma), "timestep_embedder", 2 * Frequencies);
        if (guidance is { } g)
        {
            embedding = _graph.Add(embedding, Mlp(Sinusoid(g), "guidance_embedder", 2 * Frequencies));
        }
        return _graph.Add(embedding, Mlp(pooled, "text_embedder", _config.PooledProjectionDim)); // [rows, width]
    }

    private Value Mlp(Value x, string module, int inputs)
    {
        using IDisposable scope = _graph.Scope(module);
        return _embedders.Linear(_embedders.Silu(_embedders.Linear(x, "linear_1", inputs, Width)), "linear_2", Width, Width);
    }

    /// <summary>Cosines, then sines, of a value [rows] times 1000 at frequencies from 1 down to 1 / 10000.</summary>
    private Value Sinusoid(Value value)
    {
        float step = (float)(-Math.Log(10000) / Frequencies);
        float[] frequencies = [.. Enumerable.Range(0, Frequencies).Select(i => MathF.Exp(i * step))];
        Value scaled = _graph.Unsqueeze(_graph.Mul(value, _graph.Float(TimestepScale, ElementType.Float32)), 1);
        Value angles = _graph.Mul(scaled, _graph.Table("frequencies", ElementType.Float32, frequencies, Frequencies)); // [rows, 128]
        return _graph.Cast(_graph.Concat(1, _graph.Cos(angles), _graph.Sin(angles)), ElementType.Float32, _graph.Floats);
    }

    /// <summary>A layer's shifts, scales plus 1, and gates, one after another.</summary>
    private Value Modulation(Value embedding, FluxModulationInputs.Entry entry)
    {
        int outputs = entry.Parts * Width;
        Value product = _layers.Product(embedding, entry.Module, Width, outputs);
        string name = $"{entry.Module}.bias";
        float[] bias = _weights.Values(name, outputs);
        foreach (int scale in entry.Scales)
        {
            foreach (ref float value in bias.AsSpan(scale * Width, Width))
            {
                value += 1;
            }
        }
        using IDisposable scope = _graph.Scope(entry.Module);
        return _graph.Add(product, _graph.Table("bias", bias, outputs));
    }

    /// <summary>Cosines and sines [1, tokens, head / 2], one for each pair of channels, for position ids [tokens, 3].</summary>
    private (Value Cos, Value Sin) Rotary(Value ids)
    {
        using IDisposable scope = _graph.Scope("pos_embed");
        // Row a holds the frequencies of axis a at its pairs, and zero elsewhere: one product gives every angle.
        // Double precision, because in single precision the angles of far positions lose digits.
        int pairs = _config.AttentionHeadDim / 2;
        double[] frequencies = new double[_config.AxesDimsRope.Count * pairs];
        int pair = 0;
        for (int axis = 0; axis < _config.AxesDimsRope.Count; axis++)
        {
            int dim = _config.AxesDimsRope[axis];
            for (int i = 0; i < dim; i += 2)
            {
                frequencies[axis * pairs + pair++] = 1 / Math.Pow(Theta, (double)i / dim);
            }
        }
        Value wide = _graph.Cast(_graph.Unsqueeze(ids, 0), ElementType.Float64);
        Value angles = _graph.MatMul(wide, _graph.Table("frequencies", frequencies, _config.AxesDimsRope.Count, pairs));
        return (_graph.Cast(_graph.Cos(angles), _graph.Floats), _graph.Cast(_graph.Sin(angles), _graph.Floats));
    }
}
