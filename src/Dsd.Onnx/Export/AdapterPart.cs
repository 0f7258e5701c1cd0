using System.Runtime.InteropServices;
using Dsd.Models.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Onnx.Export;

/// <summary>
/// An adapter's part for one network, as an export merges it: factors by weight name, whole tensors that replace or extend the checkpoint's, and an account
/// of what was used.
/// </summary>
internal sealed class AdapterPart
{
    private readonly HashSet<string> _used = [];
    private readonly string _source;
    private readonly IReadOnlyDictionary<string, LoraFactors> _factors;
    private readonly IReadOnlyDictionary<string, Tensor> _whole;
    private readonly float _strength;

    private AdapterPart(string source, IReadOnlyDictionary<string, LoraFactors> factors, IReadOnlyDictionary<string, Tensor> whole, float strength) =>
        (_source, _factors, _whole, _strength) = (source, factors, whole, strength);

    /// <summary>The part for the transformer.</summary>
    /// <param name="adapter">The adapter, which must outlive the result.</param>
    /// <param name="strength">What its additions are multiplied by, beside alpha / rank.</param>
    public static AdapterPart OfTransformer(LoraAdapter adapter, float strength) => new(adapter.Source, adapter.Factors, adapter.Whole, strength);

    /// <summary>The part for CLIP's text encoder; it may be empty.</summary>
    /// <inheritdoc cref="OfTransformer"/>
    public static AdapterPart OfClip(LoraAdapter adapter, float strength) =>
        new(adapter.Source, adapter.ClipFactors, new Dictionary<string, Tensor>(), strength);

    /// <summary>Where the adapter came from, for messages.</summary>
    public string Source => _source;

    /// <summary>A whole tensor that stands in for the checkpoint's; null is none. One of another shape is added to the faults.</summary>
    public float[]? Whole(string name, long[] shape, List<string> faults)
    {
        if (!_whole.TryGetValue(name, out Tensor? tensor))
        {
            return null;
        }
        _used.Add(name);
        if (!tensor.shape.SequenceEqual(shape))
        {
            faults.Add($"'{name}' [{string.Join(", ", tensor.shape)}] of '{_source}' where the config asks for [{string.Join(", ", shape)}]");
        }
        using Tensor single = tensor.to(ScalarType.Float32);
        using Tensor whole = single.contiguous();
        return MemoryMarshal.Cast<byte, float>(whole.bytes).ToArray();
    }

    /// <summary>
    /// What merges the adapter into a part of a weight [outputs, inputs]: some rows, their number, the output that the first row stands for, and the input
    /// that the first column stands for. Null where the adapter leaves the weight as it is. Factors that do not fit are added to the faults.
    /// </summary>
    public WeightMerge? Merge(string weight, int inputs, int outputs, List<string> faults)
    {
        string module = weight[..^".weight".Length];
        if (!_factors.TryGetValue(module, out LoraFactors? factors))
        {
            return null;
        }
        _used.Add(module);
        if (factors.A.shape[1] != inputs || factors.B.shape[0] != outputs)
        {
            faults.Add(
                $"'{module}' of '{_source}' adapts {factors.A.shape[1]} inputs and {factors.B.shape[0]} outputs "
                    + $"where the layer has {inputs} and {outputs}");
        }
        return (values, rows, firstOutput, firstInput) =>
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor part = tensor(values, [rows, values.Length / rows]);
            factors.AddTo(part, _strength, firstOutput, firstInput);
            MemoryMarshal.Cast<byte, float>(part.bytes).CopyTo(values);
        };
    }

    /// <summary>What found no place in the graphs, as faults.</summary>
    public IEnumerable<string> Unused() =>
        _factors.Keys.Concat(_whole.Keys).Where(n => !_used.Contains(n)).Select(n => $"'{_source}' holds '{n}', which this model lacks");
}

/// <summary>Adds an adapter's product to some rows and columns of a weight.</summary>
/// <param name="values">[rows, columns], changed.</param>
/// <param name="rows">How many rows there are.</param>
/// <param name="firstOutput">The output that the first row stands for.</param>
/// <param name="firstInput">The input that the first column stands for.</param>
internal delegate void WeightMerge(float[] values, int rows, int firstOutput, int firstInput);
