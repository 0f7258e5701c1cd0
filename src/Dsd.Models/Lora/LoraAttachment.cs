using Dsd.Models.Families;
using Dsd.Models.Layers;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>An adapter in place over a transformer's layers, with tensors of its own on the transformer's device. Disposing it takes it off.</summary>
/// <remarks>
/// Attach after the transformer has its device and type: moving the transformer does not move what lies over it.
/// Attaching and disposing must not run beside a forward pass.
/// </remarks>
public sealed class LoraAttachment : IDisposable
{
    private readonly SortedDictionary<string, (AdaptableLinear Layer, LoraPair Pair, float Alpha)> _pairs = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (AdaptableLinear Layer, WholeLinear Whole)> _wholes = new(StringComparer.Ordinal);
    private bool _disposed;

    internal LoraAttachment(
        LoraAdapter adapter, DenoisingNetwork network, IReadOnlyDictionary<string, AdaptableLinear> linears, float scale, bool trainable,
        LoraDropout? dropout = null)
    {
        Scale = scale;
        string[] modules = [.. adapter.Whole.Keys.Select(n => LoraAdapter.Split(n).Module).Distinct()];
        if (modules.FirstOrDefault(m => linears[m].Replacement is not null) is { } taken)
        {
            throw new WeightsException(
                adapter.Source,
                $"a transformer whose {taken} no other adapter holds",
                "one where another is attached that holds it whole; detach that one first");
        }
        if (modules.FirstOrDefault(m => linears[m] is { HoldsFloat8: true, IsPlain: true } && !adapter.Whole.ContainsKey($"{m}.weight")) is { } rounded)
        {
            throw new WeightsException(
                adapter.Source, $"weights of {rounded} beside its bias, since the transformer's own are in eight bits", "the bias alone");
        }
        ScalarType type = trainable ? ScalarType.Float32 : network.DType;
        Parameter Own(Tensor tensor) => Parameter(tensor, network.Device, type, trainable);
        foreach ((string module, LoraFactors factors) in adapter.Factors)
        {
            LoraPair pair = new(Own(factors.A), Own(factors.B), scale * factors.Scale) { Dropout = dropout, Place = _pairs.Count };
            linears[module].Adapters.Add(pair);
            _pairs.Add(module, (linears[module], pair, factors.Alpha));
        }
        foreach (string module in modules)
        {
            AdaptableLinear layer = linears[module];
            WholeLinear whole = new(
                Own(adapter.Whole.GetValueOrDefault($"{module}.weight") ?? layer.Weight),
                Own(adapter.Whole.GetValueOrDefault($"{module}.bias") ?? layer.Bias));
            layer.Replacement = whole;
            _wholes.Add(module, (layer, whole));
        }
        if (trainable)
        {
            foreach (Parameter own in network.parameters())
            {
                own.requires_grad = false;
            }
        }
    }

    /// <summary>Strength of the low-rank part that was asked for; 1 is as trained.</summary>
    public float Scale { get; }

    /// <summary>
    /// What learns, by the name that the adapter's file gives it (without <c>transformer.</c>): the factors in ordinal order of their modules,
    /// A before B, then whole layers, weight before bias. The order is the same for the same adapter, in every process.
    /// </summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters =>
    [
        .. _pairs.SelectMany(p => new[] { ($"{p.Key}.lora_A.weight", p.Value.Pair.A), ($"{p.Key}.lora_B.weight", p.Value.Pair.B) }),
        .. _wholes.SelectMany(w => new[] { ($"{w.Key}.weight", w.Value.Whole.Weight), ($"{w.Key}.bias", w.Value.Whole.Bias) }),
    ];

    /// <summary>The tensors as they are now, as an adapter: what training has made of them. The scale is not part of it.</summary>
    public LoraAdapter ToAdapter()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new LoraAdapter(
            "an attached adapter",
            _pairs.ToDictionary(p => p.Key, p => new LoraFactors(LoraAdapter.Detached(p.Value.Pair.A), LoraAdapter.Detached(p.Value.Pair.B), p.Value.Alpha)),
            Parameters.Skip(2 * _pairs.Count).ToDictionary(p => p.Name, p => LoraAdapter.Detached(p.Parameter)));
    }

    /// <summary>Takes the adapter off the transformer, whose own weights apply again, and frees its tensors.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        foreach ((AdaptableLinear layer, LoraPair pair, _) in _pairs.Values)
        {
            layer.Adapters.Remove(pair);
            pair.A.Dispose();
            pair.B.Dispose();
        }
        foreach ((AdaptableLinear layer, WholeLinear whole) in _wholes.Values)
        {
            layer.Replacement = null;
            whole.Weight.Dispose();
            whole.Bias.Dispose();
        }
    }

    private static Parameter Parameter(Tensor tensor, Device device, ScalarType type, bool trainable)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Parameter parameter = new(tensor.detach().to(type, device, copy: true), requires_grad: trainable);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
