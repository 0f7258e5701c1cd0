using System.Runtime.InteropServices;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Export;

/// <summary>
/// A checkpoint's tensors as initializers of a graph, converted to single precision when they are written, with a LoRA merged on the way.
/// Keeps account of what the graph took, so that <see cref="Check"/> can report everything that did not fit at once.
/// </summary>
/// <param name="source">The checkpoint.</param>
/// <param name="prefix">What this checkpoint puts before the names that the graph uses, such as <c>text_model.</c>.</param>
/// <param name="lora">Low-rank additions and replaced tensors; null is none.</param>
internal sealed class CheckpointWeights(WeightSource source, string prefix = "", LoraWeights? lora = null)
{
    // One block of rows is converted at a time: bounded memory, whatever the tensor's size.
    private const int BlockElements = 1 << 20;

    private readonly HashSet<string> _taken = [];
    private readonly List<string> _faults = [];

    /// <summary>Whether the checkpoint or the LoRA holds a tensor.</summary>
    public bool Has(string name) => lora?.Replacement(name) is not null || source.Contains(Key(name));

    /// <summary>A tensor as it is.</summary>
    public Initializer Tensor(string name, params long[] shape) => new(name, DataType.Float, shape, Plain(name, shape));

    /// <summary>A linear layer's weight [out, in] transposed to [in, out], as MatMul takes it.</summary>
    public Initializer Transposed(string name, int inputs, int outputs) =>
        new(name, DataType.Float, [inputs, outputs], Turned(name, inputs, outputs));

    /// <summary>A whole tensor in memory: for small tables that the graph holds in another form.</summary>
    public float[] Values(string name, params long[] shape)
    {
        using MemoryStream stream = new();
        Plain(name, shape)(stream, CancellationToken.None);
        return MemoryMarshal.Cast<byte, float>(stream.ToArray()).ToArray();
    }

    /// <summary>Ends the account.</summary>
    /// <param name="belongs">Which tensors of the checkpoint the graph ought to have used; null is all.</param>
    /// <exception cref="WeightsException">Tensors were missing, of another shape or type, or left over; the message lists them.</exception>
    public void Check(Func<string, bool>? belongs = null)
    {
        // The release of the published model carries a second copy of its LoRA beside the weights; the adapter file is what counts.
        IEnumerable<string> left = source.Names
            .Where(n => !_taken.Contains(n) && !n.Contains(".lora_", StringComparison.Ordinal) && belongs?.Invoke(n) != false)
            .Order(StringComparer.Ordinal)
            .Select(n => $"unexpected '{n}' {source.Entry(n)}");
        string[] faults = [.. _faults, .. left, .. lora?.Unused(_taken.Contains) ?? []];
        if (faults.Length > 0)
        {
            string more = faults.Length > 20 ? $"; and {faults.Length - 20} more" : "";
            throw new WeightsException(source.Path, "the tensors that its config describes", string.Join("; ", faults.Take(20)) + more);
        }
    }

    private string Key(string name)
    {
        string key = prefix + name;
        int dot = key.LastIndexOf('.');
        // A checkpoint saved with an adapter attached calls the module's own weight so.
        string wrapped = $"{key[..Math.Max(dot, 0)]}.base_layer{key[Math.Max(dot, 0)..]}";
        return !source.Contains(key) && source.Contains(wrapped) ? wrapped : key;
    }

    private bool Fits(WeightSource from, string key, long[] shape)
    {
        _taken.Add(key);
        if (!from.Contains(key))
        {
            _faults.Add($"no '{key}' [{string.Join(", ", shape)}]");
            return false;
        }
        TensorEntry entry = from.Entry(key);
        if (!entry.Shape.SequenceEqual(shape) || !FloatReader.CanRead(entry.DType))
        {
            _faults.Add($"'{key}' {entry} where the config asks for floating [{string.Join(", ", shape)}]");
            return false;
        }
        return true;
    }

    private (WeightSource Source, string Key) Find(string name)
    {
        if (lora?.Replacement(name) is { } replacement)
        {
            // The checkpoint's own tensor, if there is one, is used in the sense that something took its place.
            _taken.Add(Key(name));
            return (lora.Source, replacement);
        }
        return (source, Key(name));
    }

    private Action<Stream, CancellationToken> Plain(string name, long[] shape)
    {
        (WeightSource from, string key) = Find(name);
        if (!Fits(from, key, shape))
        {
            return Missing(name);
        }
        return (stream, cancellationToken) =>
        {
            TensorEntry entry = from.Entry(key);
            float[] block = new float[Math.Min(BlockElements, entry.ElementCount)];
            for (long first = 0; first < entry.ElementCount; first += block.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<float> values = block.AsSpan(0, (int)Math.Min(block.Length, entry.ElementCount - first));
                FloatReader.Read(from.Bytes(key), entry.DType, first, values);
                stream.Write(MemoryMarshal.AsBytes(values));
            }
        };
    }

    private Action<Stream, CancellationToken> Turned(string name, int inputs, int outputs)
    {
        (WeightSource from, string key) = Find(name);
        if (!Fits(from, key, [outputs, inputs]))
        {
            return Missing(name);
        }
        Func<LoraPair>? adapter = lora?.Take(name, inputs, outputs, _faults);
        return (stream, cancellationToken) =>
        {
            LoraPair? pair = adapter?.Invoke();
            string dtype = from.Entry(key).DType;
            int blockInputs = Math.Clamp(BlockElements / outputs, 1, inputs);
            float[] row = new float[blockInputs];
            for (int first = 0; first < inputs; first += blockInputs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = Math.Min(blockInputs, inputs - first);
                float[] block = new float[count * outputs]; // [inputs of this block, out]
                ReadOnlySpan<byte> bytes = from.Bytes(key);
                for (int output = 0; output < outputs; output++)
                {
                    FloatReader.Read(bytes, dtype, (long)output * inputs + first, row.AsSpan(0, count));
                    for (int input = 0; input < count; input++)
                    {
                        block[input * outputs + output] = row[input];
                    }
                }
                pair?.AddTransposed(block, first);
                stream.Write(MemoryMarshal.AsBytes<float>(block));
            }
        };
    }

    private static Action<Stream, CancellationToken> Missing(string name) =>
        (_, _) => throw new InvalidOperationException($"Tensor '{name}' did not fit; the account of the weights was not checked.");
}
