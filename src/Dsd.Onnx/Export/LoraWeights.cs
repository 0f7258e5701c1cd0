using System.Runtime.InteropServices;
using Dsd.Models.Lora;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.Onnx.Export;

/// <summary>A transformer's LoRA as an export needs it: factors by weight name, whole tensors that replace or extend the checkpoint's, and an account of what was used.</summary>
/// <param name="adapter">The adapter, which this object takes over.</param>
/// <param name="strength">What its additions are multiplied by, beside alpha / rank.</param>
internal sealed class LoraWeights(LoraAdapter adapter, float strength) : IDisposable
{
    private readonly HashSet<string> _used = [];

    /// <summary>Opens a LoRA file.</summary>
    /// <exception cref="WeightsException">The file is damaged or no adapter of a transformer.</exception>
    public static LoraWeights Open(string path, float strength) => new(LoraAdapter.Load(path), strength);

    /// <summary>Whether it brings a <c>c_embedder</c>, and so makes the transformer conditional.</summary>
    public bool HasCondition => adapter.HasCondition;

    /// <summary>A whole tensor that stands in for the checkpoint's; null is none. One of another shape is added to the faults.</summary>
    public float[]? Whole(string name, long[] shape, List<string> faults)
    {
        if (!adapter.Whole.TryGetValue(name, out Tensor? tensor))
        {
            return null;
        }
        _used.Add(name);
        if (!tensor.shape.SequenceEqual(shape))
        {
            faults.Add($"'{name}' [{string.Join(", ", tensor.shape)}] of '{adapter.Source}' where the config asks for [{string.Join(", ", shape)}]");
        }
        return Floats(tensor);
    }

    /// <summary>What reads the factors for a weight [outputs, inputs]; null is none. Factors that do not fit are added to the faults.</summary>
    public Func<LoraPair>? Pair(string weight, int inputs, int outputs, List<string> faults)
    {
        string module = weight[..^".weight".Length];
        if (!adapter.Factors.TryGetValue(module, out LoraFactors? factors))
        {
            return null;
        }
        _used.Add(module);
        if (factors.A.shape[1] != inputs || factors.B.shape[0] != outputs)
        {
            faults.Add($"'{module}' of '{adapter.Source}' adapts {factors.A.shape[1]} inputs and {factors.B.shape[0]} outputs where the layer has {inputs} and {outputs}");
        }
        return () => new LoraPair(Floats(factors.A), Floats(factors.B), factors.Rank, strength * factors.Scale);
    }

    /// <summary>What found no place in the graph, as faults.</summary>
    public IEnumerable<string> Unused() =>
        adapter.Factors.Keys.Concat(adapter.Whole.Keys).Where(n => !_used.Contains(n)).Select(n => $"'{adapter.Source}' holds '{n}', which this model lacks");

    /// <summary>Disposes the adapter.</summary>
    public void Dispose() => adapter.Dispose();

    private static float[] Floats(Tensor tensor)
    {
        using Tensor single = tensor.to(ScalarType.Float32);
        using Tensor whole = single.contiguous();
        return MemoryMarshal.Cast<byte, float>(whole.bytes).ToArray();
    }
}
