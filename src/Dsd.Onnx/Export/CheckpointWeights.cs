using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Export;

/// <summary>
/// A checkpoint's tensors as initializers of a graph, converted to single precision when they are written, with a LoRA merged on the way.
/// Keeps account of what the graph took, so that <see cref="Check"/> can report everything that did not fit at once.
/// </summary>
public sealed class CheckpointWeights
{
    // One block of rows is converted at a time: bounded memory, whatever the tensor's size.
    private const int BlockElements = 1 << 20;

    private readonly WeightSource _source;
    private readonly string _prefix;
    private readonly AdapterPart? _adapter;
    private readonly HashSet<string> _taken = [];
    private readonly List<string> _faults = [];

    /// <summary>An account of a checkpoint.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="prefix">What this checkpoint puts before the names that the graph uses, such as <c>text_model.</c>.</param>
    /// <param name="adapter">Low-rank additions and replaced tensors; null is none.</param>
    internal CheckpointWeights(WeightSource source, string prefix = "", AdapterPart? adapter = null) =>
        (_source, _prefix, _adapter) = (source, prefix, adapter);

    /// <summary>Converts elements from the given one on.</summary>
    private delegate void Reader(long first, Span<float> values);

    /// <summary>Whether the checkpoint holds a tensor.</summary>
    public bool Has(string name) => _source.Contains(Key(name));

    /// <summary>A tensor as it is.</summary>
    internal Initializer Tensor(string name, params long[] shape)
    {
        Reader read = Find(name, shape);
        return new Initializer(name, DataType.Float, shape, (stream, cancellationToken) =>
        {
            long count = Count(shape);
            float[] block = new float[Math.Min(BlockElements, count)];
            for (long first = 0; first < count; first += block.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<float> values = block.AsSpan(0, (int)Math.Min(block.Length, count - first));
                read(first, values);
                stream.Write(MemoryMarshal.AsBytes(values));
            }
        });
    }

    /// <summary>A linear layer's weight [out, in] transposed to [in, out], as MatMul takes it, with what the LoRA adds to it.</summary>
    internal Initializer Transposed(string name, int inputs, int outputs)
    {
        Reader read = Find(name, [outputs, inputs]);
        Action<float[], int>? merge = _adapter?.Merge(name, inputs, outputs, _faults);
        return new Initializer(name, DataType.Float, [inputs, outputs], (stream, cancellationToken) =>
        {
            int blockInputs = Math.Clamp(BlockElements / outputs, 1, inputs);
            float[] row = new float[blockInputs];
            for (int first = 0; first < inputs; first += blockInputs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = Math.Min(blockInputs, inputs - first);
                float[] block = new float[count * outputs]; // [inputs of this block, out]
                for (int output = 0; output < outputs; output++)
                {
                    read((long)output * inputs + first, row.AsSpan(0, count));
                    for (int input = 0; input < count; input++)
                    {
                        block[input * outputs + output] = row[input];
                    }
                }
                if (merge is not null)
                {
                    RequireFinite(name, block, _source.Path);
                    merge(block, first);
                    RequireFinite(name, block, _adapter!.Source);
                }
                stream.Write(MemoryMarshal.AsBytes<float>(block));
            }
        });
    }

    /// <summary>A whole tensor in memory, for small tables that the graph holds in another form; zeros where it does not fit.</summary>
    public float[] Values(string name, params long[] shape)
    {
        int faults = _faults.Count;
        Reader read = Find(name, shape);
        float[] values = new float[Count(shape)];
        if (_faults.Count == faults)
        {
            read(0, values);
        }
        return values;
    }

    /// <summary>Ends the account; a graph is to be written only after it.</summary>
    /// <param name="belongs">Which tensors of the checkpoint the graph ought to have used; null is all.</param>
    /// <exception cref="WeightsException">Tensors were missing, of another shape or type, or left over; the message lists them.</exception>
    internal void Check(Func<string, bool>? belongs = null)
    {
        // The published release carries a second copy of its LoRA among the weights; the adapter's own file is what counts.
        IEnumerable<string> left = _source.Names
            .Where(n => !_taken.Contains(n) && !n.Contains(".lora_", StringComparison.Ordinal) && belongs?.Invoke(n) != false)
            .Order(StringComparer.Ordinal)
            .Select(n => $"unexpected '{n}' {_source.Entry(n)}");
        string[] faults = [.. _faults, .. left, .. _adapter?.Unused() ?? []];
        if (faults.Length > 0)
        {
            const int Listed = 20;
            string more = faults.Length > Listed ? $"; and {faults.Length - Listed} more" : "";
            throw new WeightsException(_source.Path, "the tensors that its config describes", string.Join("; ", faults.Take(Listed)) + more);
        }
    }

    /// <summary>Refuses a merged weight that no longer is a number: a model with one in it draws nothing but noise, or black.</summary>
    private static void RequireFinite(string name, float[] values, string culprit)
    {
        if (!float.IsFinite(TensorPrimitives.MaxMagnitude<float>(values)))
        {
            throw new WeightsException(culprit, $"finite numbers in '{name}' once the adapter is merged", "NaN or infinity");
        }
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, side) => product * side);

    private Reader Find(string name, long[] shape)
    {
        string key = Key(name);
        _taken.Add(key);
        if (_adapter?.Whole(name, shape, _faults) is { } whole)
        {
            return (first, values) => whole.AsSpan(checked((int)first), values.Length).CopyTo(values);
        }
        if (!_source.Contains(key))
        {
            _faults.Add($"no '{key}' [{string.Join(", ", shape)}]");
        }
        else if (_source.Entry(key) is { } entry && (!entry.Shape.SequenceEqual(shape) || !entry.IsFloating))
        {
            _faults.Add($"'{key}' {entry} where the config asks for floating [{string.Join(", ", shape)}]");
        }
        return (first, values) => _source.ReadFloats(key, first, values);
    }

    private string Key(string name)
    {
        string key = _prefix + name;
        int dot = Math.Max(key.LastIndexOf('.'), 0);
        // A checkpoint saved with an adapter attached calls the module's own weight so.
        string wrapped = $"{key[..dot]}.base_layer{key[dot..]}";
        return !_source.Contains(key) && _source.Contains(wrapped) ? wrapped : key;
    }
}
