using System.Diagnostics;
using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study;

/// <summary>What a new subject costs a system that takes a reference: the autoencoder's pass over it.</summary>
internal static class ReferenceEncoding
{
    private const int Warmup = 3;
    private const int Timed = 11;

    /// <summary>
    /// Seconds to encode a canvas of the reference beside black, from the picture in the host's memory to its latents there: the median of eleven.
    /// </summary>
    public static double Seconds(StudyContext context)
    {
        Picture reference = context.Cases()[0].Reference;
        using FluxModel model = (FluxModel)DiffusionModel.Load(context.ModelFolder, context.Loading);
        double[] seconds = [.. Enumerable.Range(0, Warmup + Timed).Select(_ => Once(model, reference)).Skip(Warmup).Order()];
        return seconds[Timed / 2];
    }

    private static double Once(FluxModel model, Picture reference)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Stopwatch watch = Stopwatch.StartNew();
        Tensor image = PictureTensors.FromPictures([reference], model.Transformer.Device, model.Vae.DType);
        model.Vae.Encode(cat([image, -ones_like(image)], dim: 3)).Mean.cpu();
        return watch.Elapsed.TotalSeconds;
    }
}
