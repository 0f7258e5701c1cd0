using System.Numerics.Tensors;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>
/// A checkpoint's tensors as initializers of a graph, converted to a graph's type when they are written, with a LoRA merged on the way.
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

    /// <summary>Whether the checkpoint holds a tensor.</summary>
    public bool Has(string name) => _source.Contains(Key(name));

    /// <summary>A tensor as it is, but for its type and scale.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The type to write.</param>
    /// <param name="scale">Multiplies every number.</param>
    /// <param name="shape">The shape that it must have.</param>
    public Initializer Tensor(string name, ElementType type, float scale, params long[] shape)
    {
        LinearWeight.Reader read = Find(name, shape);
        return new Initializer(name, type, shape, (stream, cancellationToken) =>
        {
            long count = Count(shape);
            float[] block = new float[Math.Min(BlockElements, count)];
            for (long first = 0; first < count; first += block.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<float> values = block.AsSpan(0, (int)Math.Min(block.Length, count - first));
                read(first, values);
                if (scale != 1)
                {
                    TensorPrimitives.Multiply(values, scale, values);
                }
                Write(name, type, stream, values);
            }
        });
    }

    /// <summary>Numbers that are worked out from others of the checkpoint when they are written.</summary>
    /// <param name="name">The constant's name.</param>
    /// <param name="type">The type to write.</param>
    /// <param name="compute">Works them out: as many as the shape says.</param>
    /// <param name="shape">The shape.</param>
    internal Initializer Computed(string name, ElementType type, Func<CancellationToken, float[]> compute, params long[] shape) =>
        new(name, type, shape, (stream, cancellationToken) => Write(name, type, stream, compute(cancellationToken)));

    /// <summary>A linear layer's weight [outputs, inputs], with what the adapter adds to it.</summary>
    internal LinearWeight Linear(string name, int inputs, int outputs)
    {
        LinearWeight.Reader read = Find(name, [outputs, inputs]);
        return new LinearWeight(name, inputs, outputs, _source.Path, read, _adapter?.Merge(name, inputs, outputs, _faults), _adapter?.Source);
    }

    /// <summary>A whole tensor in memory, for small tables that the graph holds in another form; zeros where it does not fit.</summary>
    public float[] Values(string name, params long[] shape)
    {
        int faults = _faults.Count;
        LinearWeight.Reader read = Find(name, shape);
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

    private void Write(string name, ElementType type, Stream stream, ReadOnlySpan<float> values)
    {
        try
        {
            type.Write(stream, values);
        }
        catch (OverflowException e)
        {
            throw new WeightsException(_source.Path, $"numbers in '{name}' that {type} holds", e.Message, e);
        }
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, side) => product * side);

    private LinearWeight.Reader Find(string name, long[] shape)
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
