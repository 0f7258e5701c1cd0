using Dsd.Models.Acceleration;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

// Field names in this file are the checkpoint's keys.

/// <summary>Root-mean-square normalisation over the last dimension, computed in float32.</summary>
internal sealed class RmsNorm : Module<Tensor, Tensor>
{
    /// <summary>What is added to the mean square.</summary>
    public const double Epsilon = 1e-6;

    private readonly Parameter weight;

    /// <summary>[channels].</summary>
    public Parameter Weight => weight;

    public RmsNorm(long channels, Device? device, ScalarType dtype)
        : base(nameof(RmsNorm))
    {
        weight = Parameter(ones(channels, dtype: dtype, device: device));
        weight.DetachFromDisposeScope();
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        if (FusedRmsNorm.Suits(x))
        {
            return FusedRmsNorm.Apply(x, weight, Epsilon);
        }
        if (x.device_type == DeviceType.CUDA && x.dtype == ScalarType.BFloat16 && x.requires_grad)
        {
            return Brief(x);
        }
        Tensor wide = x.to(ScalarType.Float32);
        Tensor scale = rsqrt(wide.Squared().mean([-1], keepdim: true).Plus(Epsilon));
        return (wide * scale * weight.to(ScalarType.Float32)).to(x.dtype);
    }

    /// <summary>
    /// The same in the type of x, but for the mean: for training, which memory traffic limits. It moves less than half as many bytes, forward and
    /// backward. It rounds more often, but no more coarsely than x itself is rounded.
    /// </summary>
    internal Tensor Brief(Tensor x)
    {
        Tensor scale = rsqrt(x.Squared().mean([-1], keepdim: true, type: ScalarType.Float32).Plus(Epsilon)).to(x.dtype);
        return x * scale * weight;
    }
}
