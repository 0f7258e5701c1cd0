using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>Numbers that look random and are a function of a place and a key alone, the same on every device: nothing is drawn from a generator.</summary>
internal static class TensorHash
{
    /// <summary>A key for a place: [count], int32, even over an int's range.</summary>
    public static Tensor Places(long count, int key, Device device) =>
        Mix(TensorMath.Range(count, ScalarType.Int32, device).MultiplyInPlace(unchecked((int)0x9E3779B1)).AddInPlace(key));

    /// <summary>MurmurHash3's end, in place: each bit of an int depends on all.</summary>
    public static Tensor Mix(Tensor x)
    {
        Shifted(x, 16);
        x.MultiplyInPlace(unchecked((int)0x85EBCA6B));
        Shifted(x, 13);
        x.MultiplyInPlace(unchecked((int)0xC2B2AE35));
        return Shifted(x, 16);
    }

    /// <summary>SplitMix64's: each bit of the result depends on all.</summary>
    public static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    // A shift of ints brings their sign along, which must not meet itself.
    private static Tensor Shifted(Tensor x, int bits)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor mask = tensor((1 << (32 - bits)) - 1, device: x.device);
        return x.bitwise_xor_(x.bitwise_right_shift(tensor(bits, device: x.device)).bitwise_and_(mask));
    }
}
