using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Training;

/// <summary>Trains the teacher, text encoders included, by flow matching on single pictures and sheets; guidance is not yet in it.</summary>
internal static class TeacherStage
{
    public static bool Run(StageContext context)
    {
        TinyTrainingConfig config = context.Config;
        TinyTokens tokens = TinyTokens.Load(context.OutFolder, config.Text.T5Tokens);
        using AutoencoderKL vae = TinyFiles.LoadVae(context.OutFolder, context.Device);
        using TeacherNetworks networks = new(config, tokens, context.Device);
        if (TinyFiles.HasTeacher(context.OutFolder))
        {
            context.Log("teacher: goes on from the weights in the folder");
            TinyFiles.LoadTeacher(context.OutFolder, networks);
        }
        else if (TinyFiles.HasText(context.OutFolder))
        {
            context.Log("teacher: starts with text encoders that read captions already");
            TinyFiles.LoadText(context.OutFolder, networks);
        }
        using TrainingLoop loop = new(networks.Parameters(), context.Loop("teacher", config.Teacher, averageDecay: 0.9995));
        using LatentPool pool = new(vae, config, new WorldPictures(config), tokens, context.Device, loop.Step, config.Teacher.Steps);
        (Tensor emptyT5, Tensor emptyClip) = tokens.Empty(context.Device);
        bool done = loop.Run(
            step => Loss(networks, pool.Sample(step, config.Teacher.Batch), emptyT5, emptyClip, step, config),
            context.Progress("teacher"),
            context.CancellationToken);
        emptyT5.Dispose();
        emptyClip.Dispose();
        if (done)
        {
            TinyFiles.SaveTeacher(context.OutFolder, networks);
            Preview.Teacher(context, "teacher", guidance: 1);
        }
        return done;
    }

    private static Tensor Loss(TeacherNetworks networks, LatentPool.Batch batch, Tensor emptyT5, Tensor emptyClip, long step, TinyTrainingConfig config)
    {
        using DisposeScope scope = NewDisposeScope();
        Noised noised = Noised.Draw(batch.Latents, config.Seed, step);
        Tensor drop = noised.Uniform(config.Teacher.Batch).less(config.Teacher.CaptionDropout).unsqueeze(1); // [batch, 1]
        (Tensor text, Tensor pooled) = networks.Encode(where(drop, emptyT5, batch.T5Ids), where(drop, emptyClip, batch.ClipIds));
        Tensor velocity = networks.Transformer.forward(
            noised.Latents, null, text, pooled, noised.Sigma, ones_like(noised.Sigma), batch.PositionIds, networks.TextPositions);
        return FlowMatching.Loss(velocity, noised.Velocity).MoveToOuterDisposeScope();
    }
}

/// <summary>Latents on their way to noise, with the velocity that a model should find.</summary>
internal sealed record Noised(Tensor Latents, Tensor Sigma, Tensor Velocity)
{
    /// <summary>Noise and noise levels decided by seed and step alone.</summary>
    public static Noised Draw(Tensor latents, long seed, long step)
    {
        random.manual_seed(seed * 1_000_003 + step);
        Tensor noise = randn_like(latents);
        double mu = FlowMatchEulerScheduler.Mu(TinyFiles.Schedule, (int)latents.shape[1]);
        float[] levels = FlowMatching.Sigmas(randn(latents.shape[0]).data<float>().ToArray(), mu);
        Tensor sigma = tensor(levels, device: latents.device);
        return new Noised(FlowMatching.Interpolate(latents, noise, sigma), sigma, FlowMatching.Velocity(latents, noise));
    }

    /// <summary>Numbers in 0…1 from the same stream.</summary>
    public Tensor Uniform(int count) => rand(count, device: Latents.device);
}
