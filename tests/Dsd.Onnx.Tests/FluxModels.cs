using Dsd.Models.Flux;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Flux;
using Dsd.Onnx.Graph;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests;

/// <summary>FLUX's models, run as the network is called: modulation first, and its rows as the transformer's inputs.</summary>
internal sealed class FluxModels : IDisposable
{
    private readonly FluxConfig _config;
    private readonly GraphFormat _format;
    private readonly OnnxModel _transformer;
    private readonly OnnxModel[] _modulations;

    public FluxModels(
        FluxConfig config, WeightSource source, GraphFormat? format = null, AdapterPart? adapter = null, long mostBytesInside = ModelWriter.MostBytesInside,
        int modulations = 1, bool onGpu = false)
    {
        (_config, _format) = (config, format ?? GraphFormat.Plain);
        CheckpointWeights weights = new(source, "", adapter);
        GraphBuilder transformer = FluxTransformerExport.Build(config, weights, _format);
        GraphBuilder[] parts =
            [.. FluxModulationInputs.ModelsOf(config, modulations).Select(model => FluxModulationExport.Build(config, model, weights, _format))];
        weights.Check();
        (_transformer, _modulations) =
            (new OnnxModel(transformer, mostBytesInside, onGpu), [.. parts.Select(p => new OnnxModel(p, mostBytesInside, onGpu))]);
    }

    /// <summary>The sample, from the network's inputs under diffusers' names. What it does not take is passed over.</summary>
    public Tensor Run(IEnumerable<(string Name, Tensor Value)> inputs)
    {
        Dictionary<string, Tensor> given = inputs.ToDictionary(i => i.Name, i => i.Value);
        if (_format.Target == GraphTarget.Portable)
        {
            return Run(given);
        }
        // One row at a time.
        long rows = given["hidden_states"].shape[0];
        return cat([.. Enumerable.Range(0, (int)rows).Select(row => Run(
            given.ToDictionary(i => i.Key, i => i.Key.EndsWith("_ids", StringComparison.Ordinal) ? i.Value : i.Value.narrow(0, row, 1))))]);
    }

    public void Dispose()
    {
        _transformer.Dispose();
        foreach (OnnxModel modulation in _modulations)
        {
            modulation.Dispose();
        }
    }

    private Tensor Run(Dictionary<string, Tensor> given)
    {
        Tensor[][] all = [.. _modulations.Select(model => model.Run([.. model.Inputs.Select(n => (n, given[n]))]))];
        Tensor[] made = [cat([.. all.Select(outputs => outputs[0])], 1), .. all[0][1..]];
        long rows = given["hidden_states"].shape[0];
        given["rotary_cos"] = made[1].expand(rows, -1, -1);
        given["rotary_sin"] = made[2].expand(rows, -1, -1);
        long first = 0;
        foreach (FluxModulationInputs.Entry entry in FluxModulationInputs.Of(_config))
        {
            Tensor piece = made[0].narrow(1, first, entry.Parts * _config.Width);
            given[entry.Input] = _format.Target == GraphTarget.Portable ? piece : piece.flatten();
            first += entry.Parts * _config.Width;
        }
        return _transformer.Run([.. _transformer.Inputs.Select(n => (n, given[n]))])[0];
    }
}
