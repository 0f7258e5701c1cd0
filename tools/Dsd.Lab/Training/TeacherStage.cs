using Dsd.Models.Autoencoder;
using Dsd.Models.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Trains the teacher, text encoders included, by flow matching on single pictures and grids; guidance is not yet in it.</summary>
internal static class TeacherStage
{
    public static bool Run(StageContext context)
    {
        TinyTrainingConfig config = context.Config;
        if (config.Teacher.Batch % context.Devices.Count != 0)
        {
            throw new ArgumentException(
                $"Training config: teacher.batch must be a multiple of the {context.Devices.Count} devices, but is {config.Teacher.Batch}.");
        }
        TinyTokens tokens = TinyTokens.Load(context.OutFolder, config.Text.T5Tokens);
        using AutoencoderKL vae = TinyFiles.LoadVae(context.OutFolder, context.Device);
        using PanelFeatures? features = config.Teacher.AlignmentWeight > 0 ? PanelFeatures.Load(context.OutFolder, config, context.Device) : null;
        List<Replica> replicas = [.. context.Devices.Select(device => NewReplica(config, tokens, device, features))];
        TeacherNetworks networks = replicas[0].Networks;
        if (TinyFiles.HasTeacher(context.OutFolder))
        {
            context.Log("teacher: continues from the weights in the folder");
            TinyFiles.LoadTeacher(context.OutFolder, networks);
        }
        else if (TinyFiles.HasText(context.OutFolder))
        {
            context.Log("teacher: starts with text encoders that read captions already");
            TinyFiles.LoadText(context.OutFolder, networks);
        }
        TeacherLook look = new(context, networks);
        look.RequireClassifier();
        using TrainingLoop loop = new(
            replicas[0].Parameters(), context.Loop("teacher", config.Teacher, averageDecay: 0.9995), replicas.Skip(1).Select(replica => replica.Parameters()));
        using LatentPool pool = new(vae, config, new WorldPictures(config), tokens, context.Device, loop.Step, config.Teacher.Steps, features);
        (Tensor emptyT5, Tensor emptyClip) = tokens.Empty(context.Device);
        bool done = loop.Run(
            step =>
            {
                look.At(step);
                return Losses(context, replicas, pool.Sample(step, config.Teacher.Batch), emptyT5, emptyClip, step);
            },
            context.Progress("teacher"),
            context.CancellationToken);
        emptyT5.Dispose();
        emptyClip.Dispose();
        if (done)
        {
            TinyFiles.SaveTeacher(context.OutFolder, networks);
            look.AtEnd();
            Preview.Teacher(context, "teacher", guidance: 1);
        }
        replicas.ForEach(replica => replica.Dispose());
        return done;
    }

    private static Replica NewReplica(TinyTrainingConfig config, TinyTokens tokens, Device device, PanelFeatures? features)
    {
        TeacherNetworks networks = new(config, tokens, device);
        return new Replica(networks, features is null ? null : NewAlignment(config, networks, features.Channels));
    }

    private static Alignment NewAlignment(TinyTrainingConfig config, TeacherNetworks networks, int channels)
    {
        int blocks = config.Teacher.DoubleLayers + config.Teacher.SingleLayers;
        if (config.Teacher.AlignmentBlock < 1 || config.Teacher.AlignmentBlock > blocks)
        {
            throw new ArgumentException(
                $"Training config: teacher.alignment_block must lie between 1 and {blocks}, the transformer's blocks, but is {config.Teacher.AlignmentBlock}.");
        }
        random.manual_seed(config.Seed + 3);
        return new Alignment(networks.Transformer.Config.Width, channels, networks.Transformer.Device, networks.Transformer.DType);
    }

    /// <summary>One loss for each replica, over equal shares of a batch that is drawn as a whole: more devices change nothing but rounding.</summary>
    private static Func<Tensor>[] Losses(StageContext context, List<Replica> replicas, LatentPool.Batch batch, Tensor emptyT5, Tensor emptyClip, long step)
    {
        TeacherStageConfig stage = context.Config.Teacher;
        Noised noised = Noised.Draw(batch, stage.InContext, context.Config.Seed, step);
        Tensor drop = noised.Uniform(stage.Batch).less(stage.CaptionDropout).unsqueeze(1); // [batch, 1]
        Example whole = new(
            noised.Latents, noised.Sigma, noised.Velocity, where(drop, emptyT5, batch.T5Ids), where(drop, emptyClip, batch.ClipIds), batch.PositionIds,
            batch.Features, noised.Weight);
        Example[] shares = replicas.Count == 1 ? [whole] : whole.Shares(replicas.Count);
        return
        [
            .. replicas.Select((replica, i) => (Func<Tensor>)(() =>
            {
                using DisposeScope scope = NewDisposeScope();
                (Tensor flow, Tensor? aligned) = Loss(replica, replicas.Count == 1 ? whole : shares[i].On(replica.Networks.Device), stage);
                if (aligned is not null && i == 0 && step % 250 == 0)
                {
                    context.Log($"teacher: step {step}  flow {flow.item<float>():F4}  alignment {aligned.item<float>():F4}");
                }
                return (aligned is null ? flow : flow + stage.AlignmentWeight * aligned).MoveToOuterDisposeScope();
            })),
        ];
    }

    /// <summary>The flow's loss and, if there is an alignment, its negative cosine.</summary>
    private static (Tensor Flow, Tensor? Aligned) Loss(Replica replica, Example example, TeacherStageConfig stage)
    {
        using DisposeScope scope = NewDisposeScope();
        (TeacherNetworks networks, Alignment? alignment) = (replica.Networks, replica.Alignment);
        (Tensor text, Tensor pooled) = networks.Encode(example.T5Ids, example.ClipIds);
        Tensor? aligned = null;
        if (alignment is not null)
        {
            // The image's tokens are the last ones.
            long image = example.Latents.shape[1];
            networks.Transformer.Show(
                stage.AlignmentBlock - 1,
                stream => aligned = alignment.Loss(stream.narrow(1, stream.shape[1] - image, image), example.Features!).DetachFromDisposeScope());
        }
        Tensor velocity = networks.Transformer.forward(
            example.Latents, null, text, pooled, example.Sigma, ones_like(example.Sigma), example.PositionIds, networks.TextPositions);
        if (aligned is not null)
        {
            scope.Attach(aligned);
        }
        return (Noised.Loss(velocity, example.Velocity, example.Weight).MoveToOuterDisposeScope(), aligned?.MoveToOuterDisposeScope());
    }

    /// <summary>The networks on one device, with what is thrown away afterwards.</summary>
    private sealed record Replica(TeacherNetworks Networks, Alignment? Alignment) : IDisposable
    {
        public IEnumerable<Parameter> Parameters() => Networks.Parameters().Concat(Alignment?.parameters() ?? []);

        public void Dispose()
        {
            Networks.Dispose();
            Alignment?.Dispose();
        }
    }

    /// <summary>What a step learns from, every tensor but the positions with the batch in front.</summary>
    private sealed record Example(
        Tensor Latents, Tensor Sigma, Tensor Velocity, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds, Tensor? Features, Tensor? Weight)
    {
        public Example[] Shares(int count)
        {
            Tensor[]?[] parts = [.. new[] { Latents, Sigma, Velocity, T5Ids, ClipIds, Features, Weight }.Select(whole => whole?.chunk(count))];
            return [.. Enumerable.Range(0, count)
                .Select(i => new Example(parts[0]![i], parts[1]![i], parts[2]![i], parts[3]![i], parts[4]![i], PositionIds, parts[5]?[i], parts[6]?[i]))];
        }

        public Example On(Device device) => new(
            Latents.to(device), Sigma.to(device), Velocity.to(device), T5Ids.to(device), ClipIds.to(device), PositionIds.to(device), Features?.to(device),
            Weight?.to(device));
    }
}
