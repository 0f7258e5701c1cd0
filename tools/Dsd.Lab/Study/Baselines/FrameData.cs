using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Imaging;
using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>Pictures and prompts as the transformer takes them, on its device, encoded in parts that bound the memory.</summary>
internal static class FrameData
{
    private const int AtOnce = 128;

    /// <summary>The mode of each picture's latents, scaled and packed: [pictures, tokens, channels], float32. Pictures are fitted to one frame.</summary>
    public static Tensor Latents(FluxModel model, IReadOnlyList<Picture> pictures)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        List<Tensor> parts = [];
        foreach (Picture[] part in pictures.Chunk(AtOnce))
        {
            using DisposeScope inner = NewDisposeScope();
            Picture[] frames = [.. part.Select(p => p.CropToFit(TinyModel.PanelSize, TinyModel.PanelSize))];
            Tensor images = PictureTensors.FromPictures(frames, model.Transformer.Device, model.Vae.DType); // [part, 3, height, width]
            Tensor mode = model.Vae.Scale(model.Vae.Encode(images).Mean.to(ScalarType.Float32));
            parts.Add(LatentPacking.Pack(mode).MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>Both encoders' output for prompts: [prompts, tokens, channels] and [prompts, channels].</summary>
    public static TextEmbedding Prompts(FluxModel model, IReadOnlyList<string> prompts)
    {
        using DisposeScope scope = NewDisposeScope();
        TextEmbedding[] parts = [.. prompts.Chunk(AtOnce).Select(part => model.Text.Encode(part, warn: model.Warn))];
        return new TextEmbedding(
            cat([.. parts.Select(p => p.Text)]).MoveToOuterDisposeScope(),
            cat([.. parts.Select(p => p.Pooled)]).MoveToOuterDisposeScope());
    }

    /// <summary>Side of a frame's latents.</summary>
    public static int Side(FluxModel model) => TinyModel.PanelSize / model.Vae.Config.Factor;

    /// <summary>One number for every item of a batch, where the transformer has a guidance embedding; otherwise null.</summary>
    public static Tensor? Guidance(FluxModel model, long batch, float guidance) =>
        model.Transformer.Config.GuidanceEmbeds ? TensorMath.Filled([batch], guidance, device: model.Transformer.Device) : null;
}
