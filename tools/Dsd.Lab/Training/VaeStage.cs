using Dsd.Models.Autoencoder;
using Dsd.Models.Layers;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Trains the autoencoder on pictures of the small world and measures the shift and scale of its latents.</summary>
internal static class VaeStage
{
    // New pictures that tell error, shift and scale: fewer where a training is as small as a test's.
    private const int MostMeasured = 128;

    public static bool Run(StageContext context)
    {
        VaeStageConfig stage = context.Config.Vae;
        VaeConfig shape = new()
        {
            LatentChannels = stage.LatentChannels,
            BlockOutChannels = stage.BlockOutChannels,
            NormNumGroups = stage.NormNumGroups,
            LayersPerBlock = 1,
            UseQuantConv = false,
            UsePostQuantConv = false,
            ScalingFactor = 1,
            ShiftFactor = 0,
        };
        VaeConfig? kept = stage.DecoderAlone ? Kept(context) : null;
        random.manual_seed(context.Config.Seed);
        using AutoencoderKL vae = new(kept ?? shape, context.Device);
        if (TinyFiles.HasVae(context.OutFolder))
        {
            context.Log($"vae: continues from the weights in the folder{(kept is null ? "" : ", whose encoder stays")}");
            TinyFiles.LoadVae(context.OutFolder, vae);
        }
        foreach ((string name, Parameter parameter) in vae.named_parameters())
        {
            parameter.requires_grad = kept is null || name.StartsWith("decoder.", StringComparison.Ordinal);
        }
        using TrainingLoop loop = new(vae.parameters().Where(p => p.requires_grad), context.Loop("vae", stage, averageDecay: 0.999));
        WorldPictures world = new(context.Config);
        Ahead<PictureBatch> batches = new(loop.Step, depth: 6, step => world.PlainBatch(step, stage.Batch));
        bool done = loop.Run(
            step =>
            {
                random.manual_seed(context.Config.Seed + step);
                return Loss(vae, batches.Take().ToTensor(context.Device), stage.KlWeight);
            },
            context.Progress("vae"),
            context.CancellationToken);
        if (done)
        {
            Finish(context, vae, world, kept);
        }
        return done;
    }

    private static VaeConfig Kept(StageContext context) => TinyFiles.HasVae(context.OutFolder)
        ? ModelFolder.OpenParts(context.OutFolder).ReadConfig<VaeConfig>("vae")
        : throw new FileNotFoundException(
            $"vae.decoder_alone keeps an encoder, but '{context.OutFolder}' holds no autoencoder. Start from a model with --from, or set it to false.");

    private static Tensor Loss(AutoencoderKL vae, Tensor image, double klWeight)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor mean, Tensor logVariance) = vae.Encode(image);
        Tensor latent = mean.Plus(logVariance.Times(0.5).exp() * randn_like(mean));
        Tensor error = vae.Decode(latent) - image;
        // Differences between neighbours count as much as the pixels themselves: outlines are what identity hangs on.
        Tensor edges = error.diff(dim: 2).abs().mean().Plus(error.diff(dim: 3).abs().mean()).Times(0.5);
        Tensor divergence = (mean.Squared().Plus(logVariance.exp()).Minus(1) - logVariance).mean().Times(0.5);
        return error.abs().mean().Plus(edges).Plus(divergence.Times(klWeight)).MoveToOuterDisposeScope();
    }

    private static void Finish(StageContext context, AutoencoderKL vae, WorldPictures world, VaeConfig? kept)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor image = world.PlainBatch(-4, Math.Min(MostMeasured, 8 * context.Config.Vae.Batch)).ToTensor(context.Device);
        Tensor latent = vae.Encode(image).Mean;
        float shift = kept?.ShiftFactor ?? latent.mean().item<float>();
        float scale = kept?.ScalingFactor ?? 1 / latent.std().item<float>();
        float error = (vae.Decode(latent) - image).abs().mean().item<float>();
        context.Log($"vae: mean absolute error {error * 127.5:F2} of 255 on new pictures; latents' shift {shift:F4}, scale {scale:F4}");
        TinyFiles.SaveVae(context.OutFolder, vae, vae.Config with { ShiftFactor = shift, ScalingFactor = scale });
    }
}
