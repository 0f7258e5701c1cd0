using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>Sets some of an adapter's inputs to zero in training, and scales the others up, so that their sum stays the same on average.</summary>
/// <remarks>
/// What is dropped is a function of the seed, the step, the layer and the element: nothing is drawn from a generator. So a step that is taken again after
/// a resumption, or a block that the backward pass computes anew, drops the same, and a GPU the same as the CPU.
/// </remarks>
/// <param name="rate">Share of elements that are dropped, in 0…1.</param>
/// <param name="seed">Where the sequence starts.</param>
internal sealed class LoraDropout(double rate, long seed)
{
    /// <summary>The number of the batch that is being learnt; null, as at first, drops nothing.</summary>
    public long? Step { get; set; }

    /// <summary>What the products with the elements that are left are multiplied by.</summary>
    public double Factor => 1 / (1 - rate);

    /// <summary>Which elements of a layer's input are left: [rows, channels], Boolean. The caller disposes it.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="rows">Rows of the input.</param>
    /// <param name="channels">Channels of the input.</param>
    /// <param name="device">Where it shall lie.</param>
    public Tensor Left(int layer, long rows, long channels, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        ulong key = TensorHash.Mix(TensorHash.Mix(TensorHash.Mix((ulong)seed) ^ (ulong)(Step ?? 0)) ^ (ulong)layer);
        Tensor row = TensorHash.Places(rows, (int)key, device).unsqueeze(1);
        Tensor channel = TensorHash.Places(channels, (int)(key >> 32), device);
        Tensor hash = TensorHash.Mix(row.bitwise_xor(channel));
        // An int is even over its range.
        return hash.greater_equal((int)Math.Clamp(int.MinValue + rate * (1L << 32), int.MinValue, int.MaxValue)).MoveToOuterDisposeScope();
    }
}
