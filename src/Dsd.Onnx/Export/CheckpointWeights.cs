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

    private readonly ITensorSource? _source;
    private readonly string _path;
    private readonly string _prefix;
    private readonly AdapterPart? _adapter;
    private readonly HashSet<string> _taken = [];
    private readonly HashSet<string> _new = [];
    private readonly List<string> _faults = [];
    private readonly SortedDictionary<string, float[]> _kept = new(StringComparer.Ordinal);

    /// <summary>An account of a checkpoint.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="prefix">What this checkpoint puts before the names that the graph uses, such as <c>text_model.</c>.</param>
    public CheckpointWeights(ITensorSource source, string prefix = "")
        : this(source, prefix, null)
    {
    }

    /// <summary>An account of a checkpoint over which an adapter is laid.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="prefix">What this checkpoint puts before the names that the graph uses.</param>
    /// <param name="adapter">Low-rank additions and replaced tensors; null is none.</param>
    internal CheckpointWeights(ITensorSource source, string prefix, AdapterPart? adapter)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(prefix);
        (_source, _path, _prefix, _adapter) = (source, source.Path, prefix, adapter);
    }

    /// <summary>
    /// An account of a network that was exported before: its constants hold the weights already, and only what adapters change in them is worked out.
    /// </summary>
    /// <param name="folder">The network's folder, for messages.</param>
    /// <param name="kept">What its export kept: <see cref="Kept"/>.</param>
    /// <param name="adapter">The adapters.</param>
    internal CheckpointWeights(string folder, IDictionary<string, float[]> kept, AdapterPart adapter) =>
        (_path, _prefix, _adapter, _kept) = (folder, "", adapter, new(kept, StringComparer.Ordinal));

    /// <summary>
    /// Vectors that constants of the graph were worked out from, together with weights: without them nobody could say later what an adapter changes in
    /// these constants.
    /// </summary>
    internal IReadOnlyDictionary<string, float[]> Kept => _kept;

    /// <summary>The same account, in which tensors that the checkpoint lacks are zeros.</summary>
    internal CheckpointWeights WithNew(params IEnumerable<string> names)
    {
        _new.UnionWith(names);
        return this;
    }

    /// <summary>Whether the checkpoint holds a tensor.</summary>
    public bool Has(string name) => _source?.Contains(Key(name)) == true;

    /// <summary>A tensor as it is, but for its type and scale.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The type to write.</param>
    /// <param name="scale">Multiplies every number.</param>
    /// <param name="shape">The shape that it must have.</param>
    public Initializer Tensor(string name, ElementType type, float scale, params long[] shape)
    {
        (LinearWeight.Reader read, bool isReplaced) = Find(name, shape);
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
        })
        { IsReplaced = isReplaced };
    }

    /// <summary>A bias, and with it the product of the layer's weight with a vector that always comes into it, which the graph then need not add.</summary>
    /// <param name="bias">The bias's name.</param>
    /// <param name="weight">The weight.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="vector">The name of the vector that comes in: as long as there are first inputs that it comes into.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="type">The type to write.</param>
    /// <param name="scale">Multiplies the sum.</param>
    internal Initializer Folded(string bias, LinearWeight weight, int outputs, string vector, int length, ElementType type, float scale)
    {
        float[] own = Values(bias, outputs);
        float[] incoming = _source is null ? KeptBefore(vector, length) : Values(vector, length);
        _kept[vector] = incoming;
        if (_source is null && weight.IsReplaced)
        {
            _faults.Add(FoldedFault(bias));
        }
        return new Initializer(bias, type, [outputs], (stream, cancellationToken) =>
        {
            float[] sum = weight.Times(incoming, cancellationToken: cancellationToken);
            TensorPrimitives.Add(sum, own, sum);
            TensorPrimitives.Multiply(sum, scale, sum);
            Write(bias, type, stream, sum);
        })
        {
            Adapt = weight.Addition is not { } addition ? null : () =>
            {
                float[] change = addition().Times(incoming);
                TensorPrimitives.Multiply(change, scale, change);
                return (first, rows, values) => TensorPrimitives.Add(values.Span, change.AsSpan(first, rows), values.Span);
            },
        };
    }

    /// <summary>A linear layer's weight [outputs, inputs], with what the adapter adds to it.</summary>
    internal LinearWeight Linear(string name, int inputs, int outputs)
    {
        (LinearWeight.Reader read, bool isReplaced) = Find(name, [outputs, inputs]);
        return new LinearWeight(name, inputs, outputs, _path, read, isReplaced, _adapter?.Addition(name, inputs, outputs, _faults));
    }

    /// <summary>
    /// A whole tensor in memory, for small tables that the graph holds in another form; zeros where it does not fit, and of a network that was exported
    /// before, whose graph holds them.
    /// </summary>
    public float[] Values(string name, params long[] shape)
    {
        int faults = _faults.Count;
        (LinearWeight.Reader read, bool isReplaced) = Find(name, shape);
        float[] values = new float[Count(shape)];
        if (_source is null && isReplaced)
        {
            _faults.Add(FoldedFault(name));
        }
        if (_source is not null && _faults.Count == faults)
        {
            read(0, values);
        }
        return values;
    }

    /// <summary>Ends the account; a graph is to be written only after it.</summary>
    /// <param name="belongs">Which tensors of the checkpoint the graph ought to have used; null is all.</param>
    /// <exception cref="WeightsException">Tensors were missing, of another shape or type, or left over; the message lists them.</exception>
    public void Check(Func<string, bool>? belongs = null)
    {
        // The published release carries a second copy of its LoRA among the weights; the adapter's own file is what counts.
        ITensorSource? source = _source;
        IEnumerable<string> left = (source?.Names ?? [])
            .Where(n => !_taken.Contains(n) && !n.Contains(".lora_", StringComparison.Ordinal) && belongs?.Invoke(n) != false)
            .Order(StringComparer.Ordinal)
            .Select(n => $"unexpected '{n}' {source!.Entry(n)}");
        string[] faults = [.. _faults, .. left, .. _adapter?.Unused() ?? []];
        if (faults.Length > 0)
        {
            const int Listed = 20;
            string more = faults.Length > Listed ? $"; and {faults.Length - Listed} more" : "";
            throw new WeightsException(_path, "the tensors that its config describes", string.Join("; ", faults.Take(Listed)) + more);
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
            throw new WeightsException(_path, $"numbers in '{name}' that {type} holds", e.Message, e);
        }
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, side) => product * side);

    private static string FoldedFault(string name) =>
        $"'{name}' of an adapter, which the export has folded into other numbers: export the model again with this adapter";

    private float[] KeptBefore(string name, int length)
    {
        if (_adapter?.Whole(name, [length], _faults) is not null)
        {
            _faults.Add(FoldedFault(name));
        }
        if (_kept.TryGetValue(name, out float[]? kept) && kept.Length == length)
        {
            return kept;
        }
        _faults.Add($"'{name}' [{length}] is not among what the export kept");
        return new float[length];
    }

    private (LinearWeight.Reader Read, bool IsReplaced) Find(string name, long[] shape)
    {
        string key = Key(name);
        _taken.Add(key);
        if (_adapter?.Whole(name, shape, _faults) is { } whole)
        {
            return ((first, values) => whole.AsSpan(checked((int)first), values.Length).CopyTo(values), true);
        }
        if (_source is not { } source)
        {
            return ((_, _) => throw new InvalidOperationException($"'{name}' is in the exported model alone."), false);
        }
        if (!source.Contains(key) && _new.Contains(name))
        {
            return ((_, values) => values.Clear(), false);
        }
        if (!source.Contains(key))
        {
            _faults.Add($"no '{key}' [{string.Join(", ", shape)}]");
        }
        else if (source.Entry(key) is { } entry && (!entry.Shape.SequenceEqual(shape) || !entry.IsFloating))
        {
            _faults.Add($"'{key}' {entry} where the config asks for floating [{string.Join(", ", shape)}]");
        }
        return ((first, values) => source.ReadFloats(key, first, values), false);
    }

    private string Key(string name)
    {
        string key = _prefix + name;
        int dot = Math.Max(key.LastIndexOf('.'), 0);
        // A checkpoint saved with an adapter attached calls the module's own weight so.
        string wrapped = $"{key[..dot]}.base_layer{key[dot..]}";
        return _source is { } source && !source.Contains(key) && source.Contains(wrapped) ? wrapped : key;
    }
}
