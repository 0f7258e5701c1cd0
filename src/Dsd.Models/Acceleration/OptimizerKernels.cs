using System.Collections.Concurrent;
using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// Steps of optimisers as CUDA kernels of our own (optimizer_kernels.cu): one pass over memory where torch's operations take a dozen or more. Where they
/// cannot be compiled, torch's operations do the work.
/// </summary>
internal static class OptimizerKernels
{
    private const int Threads = 256;
    private static readonly ConcurrentDictionary<int, CudaModule?> Modules = new();

    /// <summary>Whether the kernels take these vectors, which all lie on one device: float32 without gaps.</summary>
    public static bool Suit(Tensor weights, Tensor gradient) =>
        FastPaths.Allow(FastPath.Kernels) && weights.device_type == DeviceType.CUDA && gradient.dtype == ScalarType.Float32
        && weights.is_contiguous() && gradient.is_contiguous() && Module(weights) is not null;

    /// <summary>One step of AdamW over vectors of one length, in place.</summary>
    public static void AdamW(Tensor weights, Tensor gradient, Tensor mean, Tensor square, AdamWStep step)
    {
        long count = weights.numel();
        Module(weights)!.Launch(
            "adamw",
            ((count + Threads - 1) / Threads, 1),
            Threads,
            Address(weights), Address(gradient), Address(mean), Address(square), count,
            Bits(step.Beta1), Bits(step.Beta2), Bits(step.Decay), Bits(step.Size), Bits(step.Root), Bits(step.Epsilon));
    }

    /// <summary>The same with the state in eight bits: a scale for each 256 numbers, of which there are only whole ones.</summary>
    public static void AdamWOfEightBits(
        Tensor weights, Tensor gradient, (Tensor Code, Tensor Scale) mean, (Tensor Code, Tensor Scale) square, Tensor places, int key, AdamWStep step) =>
        Module(weights)!.Launch(
            "adamw_eight_bits",
            (weights.numel() / Threads, 1),
            Threads,
            Address(weights), Address(gradient), Address(mean.Code), Address(mean.Scale), Address(square.Code), Address(square.Scale), Address(places),
            unchecked((uint)key),
            Bits(step.Beta1), Bits(step.Beta2), Bits(step.Decay), Bits(step.Size), Bits(step.Root), Bits(step.Epsilon));

    private static CudaModule? Module(Tensor x) => Modules.GetOrAdd(x.device_index, device =>
    {
        try
        {
            return CudaDriver.Missing() is null ? new CudaModule(KernelSource.Text("optimizer_kernels.cu"), "optimizer_kernels.cu", device) : null;
        }
        catch (Exception e) when (e is InvalidOperationException or DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    });

    private static long Address(Tensor tensor) => TensorMemory.Address(tensor);

    private static long Bits(double value) => BitConverter.SingleToUInt32Bits((float)value);
}
