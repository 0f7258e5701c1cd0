using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>The memory in which tensors lie between two runs: the host's, or that of the device that computes.</summary>
internal abstract class TensorPlace : IDisposable
{
    /// <summary>What ONNX Runtime calls the memory.</summary>
    protected abstract OrtMemoryInfo Memory { get; }

    /// <summary>Whether the processor reads it as its own.</summary>
    protected abstract bool OnHost { get; }

    /// <summary>Gives memory.</summary>
    protected abstract OrtAllocator Allocator { get; }

    /// <summary>A new tensor here, of any content.</summary>
    public OnnxTensor Empty(TensorElementType type, params long[] shape) =>
        new(OrtValue.CreateAllocatedTensorValue(Allocator, type, shape), type, shape, OnHost);

    /// <summary>A copy here of a tensor on the host.</summary>
    public OnnxTensor FromHost(OnnxTensor tensor)
    {
        OnnxTensor here = Empty(tensor.Type, [.. tensor.Shape]);
        CopyFromHost(tensor, here);
        return here;
    }

    /// <summary>A copy on the host of a tensor of single precision here.</summary>
    public abstract OnnxTensor ToHost(OnnxTensor tensor);

    /// <summary>Copies numbers from one tensor here to another.</summary>
    /// <param name="from">The source.</param>
    /// <param name="first">Its first number that is copied.</param>
    /// <param name="to">The target.</param>
    /// <param name="place">Where the first goes in the target, counted in numbers.</param>
    /// <param name="count">How many.</param>
    public abstract void Copy(OnnxTensor from, int first, OnnxTensor to, int place, int count);

    /// <summary><c>x + scale · y</c>, in single precision. x is used up.</summary>
    public abstract OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y);

    /// <summary>Some numbers of a tensor here as a tensor of their own, which must not outlive it.</summary>
    public OnnxTensor View(OnnxTensor tensor, int first, params long[] shape)
    {
        long count = shape.Aggregate(1L, (product, side) => product * side);
        return new OnnxTensor(View(tensor, tensor.Type, first * (long)tensor.ElementSize, count * tensor.ElementSize, shape), tensor.Type, shape, OnHost);
    }

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Copies a whole tensor from the host to one here.</summary>
    public abstract void CopyFromHost(OnnxTensor tensor, OnnxTensor here);

    /// <summary>Some bytes of a tensor here, as another type.</summary>
    protected OrtValue View(OnnxTensor tensor, TensorElementType type, long firstByte, long bytes, long[] shape) =>
        firstByte >= 0 && firstByte + bytes <= tensor.ByteCount
            ? OrtValue.CreateTensorValueWithData(Memory, type, shape, tensor.Address + (nint)firstByte, bytes)
            : throw new ArgumentOutOfRangeException(nameof(firstByte), firstByte, $"A tensor of {tensor.ByteCount} bytes has no {bytes} from there.");
}
