using Dsd.Models.Text;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>An adapter's part for CLIP in place over its text encoder, with tensors of its own. Disposing it takes it off.</summary>
internal sealed class ClipAttachment : IDisposable
{
    private readonly List<(TextLinear Layer, LoraPair Pair)> _pairs = [];

    public ClipAttachment(LoraAdapter adapter, ClipTextModel clip, float scale)
    {
        Dictionary<string, TextLinear> linears = clip.Linears();
        foreach ((string module, LoraFactors factors) in adapter.ClipFactors)
        {
            LoraPair pair = new(Own(factors.A, clip), Own(factors.B, clip), scale * factors.Scale);
            linears[module].Adapters.Add(pair);
            _pairs.Add((linears[module], pair));
        }
    }

    /// <summary>Takes the adapter off the encoder and frees its tensors.</summary>
    public void Dispose()
    {
        foreach ((TextLinear layer, LoraPair pair) in _pairs)
        {
            layer.Adapters.Remove(pair);
            pair.A.Dispose();
            pair.B.Dispose();
        }
        _pairs.Clear();
    }

    private static Parameter Own(Tensor tensor, ClipTextModel clip)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Parameter parameter = new(tensor.detach().to(clip.DType, clip.Device, copy: true), requires_grad: false);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
