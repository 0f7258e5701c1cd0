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
    private const int SquaresOfBlock = 4096;
    private static readonly KernelFile File = new("optimizer_kernels.cu");

    /// <summary>Whether there are kernels for a device, and the calling thread may take them.</summary>
    public static bool Suit(Device device) => device.type == DeviceType.CUDA && FastPaths.Allow(FastPath.Kernels) && Module(device) is not null;

    /// <summary>Places that <see cref="Squares"/> fills for a vector.</summary>
    public static long SumsOf(long count) => (count + SquaresOfBlock - 1) / SquaresOfBlock;

    /// <summary>Sums of squares of a vector's parts, in float32.</summary>
    /// <param name="device">The device of all addresses.</param>
    /// <param name="x">Where the vector begins.</param>
    /// <param name="count">Its numbers.</param>
    /// <param name="sums">Where the sums go, <see cref="SumsOf"/>.</param>
    public static void Squares(Device device, long x, long count, long sums) =>
        Module(device)!.Launch("squares", (SumsOf(count), 1), Threads, x, sums, count);

    /// <summary>One step of AdamW over vectors of one length, in place.</summary>
    /// <param name="device">The device of all addresses.</param>
    /// <param name="at">Where weights and gradient begin, how many numbers there are, and what the gradient is multiplied by.</param>
    /// <param name="mean">Where the mean begins, in 32 bits.</param>
    /// <param name="square">Where the mean of squares begins, in 32 bits.</param>
    /// <param name="step">The step's numbers.</param>
    public static void AdamW(Device device, GradientSpan at, long mean, long square, AdamWStep step) =>
        Module(device)!.Launch(
            "adamw",
            ((at.Count + Threads - 1) / Threads, 1),
            Threads,
            at.Weights, at.Gradient, mean, square, at.Count, Bits(at.Scale),
            Bits(step.Beta1), Bits(step.Beta2), Bits(step.Decay), Bits(step.Size), Bits(step.Root), Bits(step.Epsilon));

    /// <summary>The same with the state in eight bits, a scale for each 256 numbers, filled up to whole ones.</summary>
    /// <param name="device">The device of all addresses.</param>
    /// <param name="at">As for the other.</param>
    /// <param name="mean">Where the mean's codes and scales begin.</param>
    /// <param name="square">Where the codes and scales of the mean of squares begin.</param>
    /// <param name="places">Where the numbers' own keys begin.</param>
    /// <param name="key">The step's key.</param>
    /// <param name="step">The step's numbers.</param>
    public static void AdamWOfEightBits(
        Device device, GradientSpan at, (long Code, long Scale) mean, (long Code, long Scale) square, long places, int key, AdamWStep step) =>
        Module(device)!.Launch(
            "adamw_eight_bits",
            ((at.Count + Threads - 1) / Threads, 1),
            Threads,
            at.Weights, at.Gradient, mean.Code, mean.Scale, square.Code, square.Scale, places, at.Count, unchecked((uint)key), Bits(at.Scale),
            Bits(step.Beta1), Bits(step.Beta2), Bits(step.Decay), Bits(step.Size), Bits(step.Root), Bits(step.Epsilon));

    private static CudaModule? Module(Device device) => File.On(device.index);

    private static long Bits(double value) => BitConverter.SingleToUInt32Bits((float)value);
}
