using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>The host's memory.</summary>
internal sealed class HostPlace : TensorPlace
{
    /// <inheritdoc/>
    protected override OrtMemoryInfo Memory => OrtMemoryInfo.DefaultInstance;

    /// <inheritdoc/>
    protected override bool OnHost => true;

    /// <inheritdoc/>
    protected override OrtAllocator Allocator => OrtAllocator.DefaultInstance;

    /// <inheritdoc/>
    public override OnnxTensor ToHost(OnnxTensor tensor) => FromHost(tensor);

    /// <inheritdoc/>
    public override void Copy(OnnxTensor from, int first, OnnxTensor to, int place, int count)
    {
        int size = from.ElementSize;
        from.Value.GetTensorMutableRawData().Slice(first * size, count * size).CopyTo(to.Value.GetTensorMutableRawData()[(place * size)..]);
    }

    /// <inheritdoc/>
    public override OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y)
    {
        TensorPrimitives.MultiplyAdd(y.Floats, scale, x.Floats, x.Floats);
        return x;
    }

    /// <inheritdoc/>
    public override void CopyFromHost(OnnxTensor tensor, OnnxTensor here) => Copy(tensor, 0, here, 0, tensor.Count);
}
