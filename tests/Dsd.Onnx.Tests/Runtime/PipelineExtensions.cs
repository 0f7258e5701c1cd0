using Dsd.Onnx.Runtime;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Runtime;

internal static class PipelineExtensions
{
    /// <summary>The decoded image [batch, 3, height, width] in 0…1, before it is rounded to bytes.</summary>
    public static Tensor DecodeUnit(this OnnxPipeline pipeline, float[] latents, int width, int height)
    {
        using OnnxTensor image = pipeline.Codec.DecodeImage(latents, new Canvas(pipeline.Folder.Manifest, width, height));
        return (tensor(image.Floats.ToArray(), [.. image.Shape]) / 2 + 0.5).clamp(0, 1);
    }
}
