using static TorchSharp.torch;

namespace Dsd.Models.Native;

/// <summary>Tensors of .NET's numbers, in memory that libtorch has got for itself: see docs/decisions/noise.md.</summary>
/// <remarks>
/// On the CPU, TorchSharp's <c>tensor(array)</c> lies where the garbage collector has put an array, at any multiple of 8 bytes. MKL adds up small
/// matrix products in another order where an address is no multiple of 16, so the same numbers would give another last digit now and then. What
/// libtorch gets for itself begins at a multiple of 64. Use this for all numbers that go into a matrix product as they are.
/// </remarks>
internal static class AlignedTensor
{
    /// <summary>A copy of the numbers in a shape, float32.</summary>
    public static Tensor Of(float[] numbers, long[] shape, Device device)
    {
        using Tensor lent = tensor(numbers, shape);
        return lent.to(ScalarType.Float32, device, copy: true);
    }
}
