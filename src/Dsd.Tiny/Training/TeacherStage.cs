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
        using PanelFeatures? features = config.Teacher.AlignmentWeight > 0 ? PanelFeatures.Load(context.OutFolder, config, context.Device) : null;
        using Alignment? alignment = features is null ? null : NewAlignment(config, networks, features.Channels);
        using TrainingLoop loop = new(
            networks.Parameters().Concat(alignment?.parameters() ?? []), context.Loop("teacher", config.Teacher, averageDecay: 0.9995));
        using LatentPool pool = new(vae, config, new WorldPictures(config), tokens, context.Device, loop.Step, config.Teacher.Steps, features);
        (Tensor emptyT5, Tensor emptyClip) = tokens.Empty(context.Device);
        bool done = loop.Run(
            step =>
            {
                using DisposeScope scope = NewDisposeScope();
                (Tensor flow, Tensor? aligned) = Loss(networks, alignment, pool.Sample(step, config.Teacher.Batch), emptyT5, emptyClip, step, config);
                if (aligned is null)
                {
                    return flow.MoveToOuterDisposeScope();
                }
                if (step % 250 == 0)
                {
                    context.Log($"teacher: step {step}  flow {flow.item<float>():F4}  alignment {aligned.item<float>():F4}");
                }
                return (flow + config.Teacher.AlignmentWeight * aligned).MoveToOuterDisposeScope();
            },
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

    private static Alignment NewAlignment(TinyTrainingConfig config, TeacherNetworks networks, int channels)
    {
        int blocks = config.Teacher.DoubleLayers + config.Teacher.SingleLayers;
        if (config.Teacher.AlignmentBlock < 1 || config.Teacher.AlignmentBlock > blocks)
        {
            throw new ArgumentException($"Training config: teacher.alignment_block must lie between 1 and {blocks}, the transformer's blocks, but is {config.Teacher.AlignmentBlock}.");
        }
        random.manual_seed(config.Seed + 3);
        return new Alignment(networks.Transformer.Config.Width, channels, networks.Transformer.Device, networks.Transformer.DType);
    }

    /// <summary>The flow's loss and, if there is an alignment, its negative cosine.</summary>
    internal static (Tensor Flow, Tensor? Aligned) Loss(
        TeacherNetworks networks, Alignment? alignment, LatentPool.Batch batch, Tensor emptyT5, Tensor emptyClip, long step, TinyTrainingConfig config)
    {
        using DisposeScope scope = NewDisposeScope();
        Noised noised = Noised.Draw(batch.Latents, config.Seed, step);
        Tensor drop = noised.Uniform((int)batch.Latents.shape[0]).less(config.Teacher.CaptionDropout).unsqueeze(1); // [batch, 1]
        (Tensor text, Tensor pooled) = networks.Encode(where(drop, emptyT5, batch.T5Ids), where(drop, emptyClip, batch.ClipIds));
        Tensor? aligned = null;
        void Align(int block, Tensor hidden)
        {
            if (block == config.Teacher.AlignmentBlock)
            {
                aligned = alignment.Loss(hidden, batch.Features!).MoveToOuterDisposeScope();
            }
        }
        Tensor velocity = networks.Transformer.forward(
            noised.Latents, null, text, pooled, noised.Sigma, ones_like(noised.Sigma), batch.PositionIds, networks.TextPositions, alignment is null ? null : Align);
        return (FlowMatching.Loss(velocity, noised.Velocity).MoveToOuterDisposeScope(), aligned?.MoveToOuterDisposeScope());
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
