using Dsd.Models.Autoencoder;
using Dsd.Models.Layers;
using Dsd.Models.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// Distils guidance into the teacher, as FLUX.1-dev has it: given a guidance, the model predicts in one pass what two passes of
/// its former self, with and without the prompt, say together (Meng et al. 2023). Panels are held as in the teacher's training; the pass without the prompt
/// does not see them either, so that guidance also leads towards what they show.
/// </summary>
/// <remarks>
/// A teacher that was guided before may be trained further and guided again: at a guidance of 1 a guided model says what it would say with the prompt
/// alone, which is what the teacher's training goes on with, and what this stage then takes for both passes of the former self.
/// </remarks>
internal static class GuidanceStage
{
    public static bool Run(StageContext context)
    {
        TinyTrainingConfig config = context.Config;
        TinyTokens tokens = TinyTokens.Load(context.OutFolder, config.Text.T5Tokens);
        using AutoencoderKL vae = TinyFiles.LoadVae(context.OutFolder, context.Device);
        using TeacherNetworks former = new(config, tokens, context.Device);
        using TeacherNetworks guided = new(config, tokens, context.Device);
        TinyFiles.LoadTeacher(context.OutFolder, former);
        TinyFiles.LoadTeacher(context.OutFolder, guided);
        using TrainingLoop loop = new(guided.Transformer.parameters(), context.Loop("guidance", config.Guidance, averageDecay: 0.999));
        using LatentPool pool = new(
            vae, config, new WorldPictures(config), tokens, context.Device, config.Teacher.Steps + loop.Step, config.Teacher.Steps + config.Guidance.Steps);
        Tensor emptyText, emptyPooled;
        using (no_grad())
        {
            (Tensor emptyT5, Tensor emptyClip) = tokens.Empty(context.Device);
            (emptyText, emptyPooled) = former.Encode(emptyT5, emptyClip);
        }
        bool done = loop.Run(
            step => Loss(former, guided, pool.Sample(config.Teacher.Steps + step, config.Guidance.Batch), emptyText, emptyPooled, step, config),
            context.Progress("guidance"),
            context.CancellationToken);
        if (done)
        {
            TinyFiles.SaveTeacher(context.OutFolder, guided);
            Preview.Teacher(context, "guidance", guidance: 3.5f);
        }
        return done;
    }

    private static Tensor Loss(
        TeacherNetworks former, TeacherNetworks guided, LatentPool.Batch batch, Tensor emptyText, Tensor emptyPooled, long step, TinyTrainingConfig config)
    {
        using DisposeScope scope = NewDisposeScope();
        int count = config.Guidance.Batch;
        Noised noised = Noised.Draw(batch, config.Teacher.InContext, config.Seed + 1, step);
        Tensor guidance = noised.Uniform(count).Times(config.Guidance.Most - config.Guidance.Least).Plus(config.Guidance.Least); // [batch]
        Tensor text, pooled, target;
        using (no_grad())
        {
            (text, pooled) = former.Encode(batch.T5Ids, batch.ClipIds);
            Tensor both = former.Transformer.forward(
                cat([noised.Latents, noised.Alike]),
                null,
                cat([text, emptyText.expand(count, -1, -1)]),
                cat([pooled, emptyPooled.expand(count, -1)]),
                cat([noised.Sigma, noised.Sigma]),
                ones(2 * count, device: guidance.device),
                batch.PositionIds,
                former.TextPositions);
            Tensor[] passes = both.chunk(2);
            target = passes[1].Plus(guidance.reshape(-1, 1, 1) * (passes[0] - passes[1]));
        }
        Tensor velocity = guided.Transformer.forward(
            noised.Latents, null, text, pooled, noised.Sigma, guidance, batch.PositionIds, guided.TextPositions);
        return Noised.Loss(velocity, target, noised.Weight).MoveToOuterDisposeScope();
    }
}
