using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Runtime;

internal static class PipelineExtensions
{
    /// <summary>The decoded image [batch, 3, height, width] in 0…1, before it is rounded to bytes.</summary>
    public static Tensor DecodeUnit(this OnnxPipeline pipeline, float[] latents, int width, int height)
    {
        using OnnxTensor image = pipeline.Model.Codec.DecodeImage(latents, pipeline.Model.CanvasOf(width, height));
        return (tensor(image.Floats.ToArray(), [.. image.Shape]) / 2 + 0.5).clamp(0, 1);
    }

    /// <summary>Denoises given latent tokens.</summary>
    public static float[] Draw(this OnnxPipeline pipeline, TextToImageRequest request, TextToImageOptions options, float[] latents)
    {
        using OnnxTensor last = pipeline.Generation.Latents([request], options, canvas => pipeline.Model.FromTokens(latents, canvas));
        return last.Floats.ToArray();
    }

    /// <summary>Denoises given latent tokens of a whole canvas.</summary>
    public static float[] Draw(this OnnxPipeline pipeline, DsdRequest request, DsdOptions options, float[] latents)
    {
        using OnnxTensor last = pipeline.Generation.Latents([request], options, canvas => pipeline.Model.FromTokens(latents, canvas));
        return last.Floats.ToArray();
    }
}
