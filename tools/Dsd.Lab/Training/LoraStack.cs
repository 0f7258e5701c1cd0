using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// Many adapters of one shape over one transformer at once, each for its own share of the batch: item i of a batch of n · k uses adapter
/// i / k. A forward pass then costs about as many operations as with a single adapter. Disposing it takes all of them off.
/// </summary>
/// <remarks>Whole layers are not stacked. Attaching and disposing must not run beside a forward pass.</remarks>
internal sealed class LoraStack : IDisposable
{
    private readonly List<(string Module, AdaptableLinear Layer, StackedFactors Pair)> _pairs = [];
    private bool _disposed;

    /// <summary>Lays stacked factors over a transformer's layers.</summary>
    /// <param name="transformer">The transformer, on its device and of its type; its own weights stay as they are.</param>
    /// <param name="factors">By module name: A [adapters, rank, inputs] and B [adapters, outputs, rank], copied.</param>
    /// <param name="trainable">Whether the factors shall learn: they then are float32, and the transformer's own weights need no gradients.</param>
    /// <param name="strength">What the factors' product is multiplied with: 1 where alpha is the rank.</param>
    /// <exception cref="ArgumentException">There are no factors, or a layer is missing or of another shape; the message lists them.</exception>
    public LoraStack(FluxTransformer transformer, IReadOnlyDictionary<string, (Tensor A, Tensor B)> factors, bool trainable, float strength = 1)
    {
        if (factors.Count == 0)
        {
            throw new ArgumentException("There are no factors to lay over the transformer.", nameof(factors));
        }
        IReadOnlyDictionary<string, AdaptableLinear> linears = transformer.Linears();
        Count = (int)factors.Values.First().A.shape[0];
        string[] misfits =
        [
            .. factors.Where(f => !Fits(linears.GetValueOrDefault(f.Key), f.Value.A, f.Value.B, Count))
                .Select(f => $"{f.Key} A [{string.Join(", ", f.Value.A.shape)}] B [{string.Join(", ", f.Value.B.shape)}]"),
        ];
        if (misfits.Length > 0)
        {
            throw new ArgumentException(
                $"Stacked factors must be A [{Count}, rank, inputs] and B [{Count}, outputs, rank] of linear layers of the transformer; "
                    + $"{misfits.Length} are not: {string.Join("; ", misfits.Take(8))}.",
                nameof(factors));
        }
        ScalarType type = trainable ? ScalarType.Float32 : transformer.DType;
        foreach ((string module, (Tensor a, Tensor b)) in factors.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            StackedFactors pair = new(Own(a, 1, type, transformer.Device, trainable), Own(b, strength, type, transformer.Device, trainable));
            linears[module].Adapters.Add(pair);
            _pairs.Add((module, linears[module], pair));
        }
        if (trainable)
        {
            foreach (Parameter own in transformer.parameters())
            {
                own.requires_grad = false;
            }
        }
    }

    /// <summary>How many adapters there are.</summary>
    public int Count { get; }

    /// <summary>What learns: for each module in ordinal order A, then B.</summary>
    public IEnumerable<Parameter> Parameters => _pairs.SelectMany(p => new[] { p.Pair.A, p.Pair.B });

    /// <summary>The stacked factors as they are now, by module name. They belong to the stack.</summary>
    public IReadOnlyDictionary<string, (Tensor A, Tensor B)> Factors =>
        _pairs.ToDictionary(p => p.Module, p => ((Tensor)p.Pair.A, (Tensor)p.Pair.B));

    /// <summary>The same new adapter as often as asked for, stacked.</summary>
    /// <param name="adapter">The adapter, without whole layers and with its rank for alpha.</param>
    /// <param name="count">How often, at least 1.</param>
    /// <param name="transformer">The transformer.</param>
    public static LoraStack Repeat(LoraAdapter adapter, int count, FluxTransformer transformer)
    {
        using DisposeScope scope = NewDisposeScope();
        return new LoraStack(
            transformer,
            adapter.Factors.ToDictionary(f => f.Key, f => (f.Value.A.expand(count, -1, -1), f.Value.B.expand(count, -1, -1))),
            trainable: true);
    }

    /// <summary>Takes the adapters off and frees their tensors.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        foreach ((_, AdaptableLinear layer, StackedFactors pair) in _pairs)
        {
            layer.Adapters.Remove(pair);
            pair.A.Dispose();
            pair.B.Dispose();
        }
    }

    private static bool Fits(AdaptableLinear? layer, Tensor a, Tensor b, int count) =>
        layer is not null && a.dim() == 3 && b.dim() == 3 && a.shape[0] == count && b.shape[0] == count && a.shape[1] == b.shape[2]
            && a.shape[2] == layer.Weight.shape[1] && b.shape[1] == layer.Weight.shape[0];

    private static Parameter Own(Tensor tensor, float times, ScalarType type, Device device, bool trainable)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Parameter parameter = new(tensor.detach().to(type, device, copy: true).contiguous().MultiplyInPlace(times), requires_grad: trainable);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
