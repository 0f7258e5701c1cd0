using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
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
                return Shares(context, replicas, pool.Sample(step, config.Teacher.Batch), emptyT5, emptyClip, step);
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
        CheckBlock(config);
        random.manual_seed(config.Seed + 3);
        FluxTransformer transformer = networks.Transformer;
        return new Replica(
            networks,
            features is null ? null : new Alignment(transformer.Config.Width, features.Channels, device, transformer.DType),
            config.Teacher.ReadingWeight > 0 ? new SubjectReader(transformer.Config.Width, device, transformer.DType) : null);
    }

    private static void CheckBlock(TinyTrainingConfig config)
    {
        int blocks = config.Teacher.DoubleLayers + config.Teacher.SingleLayers;
        if (config.Teacher.AlignmentBlock < 1 || config.Teacher.AlignmentBlock > blocks)
        {
            throw new ArgumentException(
                $"Training config: teacher.alignment_block must lie between 1 and {blocks}, the transformer's blocks, but is {config.Teacher.AlignmentBlock}.");
        }
    }

    /// <summary>One loss for each replica, over equal shares of a batch that is drawn as a whole: more devices change nothing but rounding.</summary>
    private static Func<Tensor>[] Shares(StageContext context, List<Replica> replicas, LatentPool.Batch batch, Tensor emptyT5, Tensor emptyClip, long step)
    {
        TeacherStageConfig stage = context.Config.Teacher;
        Noised noised = Noised.Draw(batch, stage.InContext, context.Config.Seed, step);
        Tensor drop = noised.Uniform(stage.Batch).less(stage.CaptionDropout).unsqueeze(1); // [batch, 1]
        Example whole = new(
            noised.Latents, noised.Sigma, noised.Velocity, where(drop, emptyT5, batch.T5Ids), where(drop, emptyClip, batch.ClipIds), batch.PositionIds,
            batch.Features, noised.Weight, batch.PanelOfToken, batch.Subjects);
        Example[] shares = replicas.Count == 1 ? [whole] : whole.Shares(replicas.Count);
        return
        [
            .. replicas.Select((replica, i) => (Func<Tensor>)(() =>
            {
                using DisposeScope scope = NewDisposeScope();
                Losses all = Loss(replica, replicas.Count == 1 ? whole : shares[i].On(replica.Networks.Device), stage);
                if (i == 0 && step % 250 == 0 && all.Told() is { } told)
                {
                    context.Log($"teacher: step {step}  {told}");
                }
                return all.Sum(stage).MoveToOuterDisposeScope();
            })),
        ];
    }

    private static Losses Loss(Replica replica, Example example, TeacherStageConfig stage)
    {
        using DisposeScope scope = NewDisposeScope();
        TeacherNetworks networks = replica.Networks;
        (Tensor text, Tensor pooled) = networks.Encode(example.T5Ids, example.ClipIds);
        (Tensor? aligned, Tensor? read) = (null, null);
        if (replica.Alignment is not null || replica.Reader is not null)
        {
            // The image's tokens are the last ones.
            long image = example.Latents.shape[1];
            networks.Transformer.Show(stage.AlignmentBlock - 1, stream =>
            {
                Tensor hidden = stream.narrow(1, stream.shape[1] - image, image);
                aligned = replica.Alignment?.Loss(hidden, example.Features!).DetachFromDisposeScope();
                read = replica.Reader?.Loss(hidden, example.PanelOfToken, example.Subjects).DetachFromDisposeScope();
            });
        }
        Tensor velocity = networks.Transformer.forward(
            example.Latents, null, text, pooled, example.Sigma, ones_like(example.Sigma), example.PositionIds, networks.TextPositions);
        foreach (Tensor shown in new[] { aligned, read }.OfType<Tensor>())
        {
            scope.Attach(shown);
        }
        return new Losses(
            Noised.Loss(velocity, example.Velocity, example.Weight).MoveToOuterDisposeScope(), aligned?.MoveToOuterDisposeScope(),
            read?.MoveToOuterDisposeScope());
    }

    /// <summary>What a share of a step is wrong by.</summary>
    /// <param name="Flow">The flow's loss.</param>
    /// <param name="Aligned">The alignment's negative cosine, if there is one.</param>
    /// <param name="Read">The cross-entropy of telling the subjects, if they are told.</param>
    private sealed record Losses(Tensor Flow, Tensor? Aligned, Tensor? Read)
    {
        public Tensor Sum(TeacherStageConfig stage)
        {
            Tensor sum = Aligned is null ? Flow : Flow.Plus(Aligned.Times(stage.AlignmentWeight));
            return Read is null ? sum : sum.Plus(Read.Times(stage.ReadingWeight));
        }

        /// <summary>For the log, where there is more than the flow.</summary>
        public string? Told() => Aligned is null && Read is null ? null
            : $"flow {Flow.item<float>():F4}"
                + (Aligned is null ? "" : $"  alignment {Aligned.item<float>():F4}")
                + (Read is null ? "" : $"  reading {Read.item<float>():F4}");
    }

    /// <summary>The networks on one device, with what is thrown away afterwards.</summary>
    private sealed record Replica(TeacherNetworks Networks, Alignment? Alignment, SubjectReader? Reader) : IDisposable
    {
        public IEnumerable<Parameter> Parameters() => Networks.Parameters().Concat(Alignment?.parameters() ?? []).Concat(Reader?.parameters() ?? []);

        public void Dispose()
        {
            Networks.Dispose();
            Alignment?.Dispose();
            Reader?.Dispose();
        }
    }

    /// <summary>What a step learns from, every tensor but positions and panels with the batch in front.</summary>
    private sealed record Example(
        Tensor Latents, Tensor Sigma, Tensor Velocity, Tensor T5Ids, Tensor ClipIds, Tensor PositionIds, Tensor? Features, Tensor? Weight,
        Tensor PanelOfToken, Tensor Subjects)
    {
        public Example[] Shares(int count)
        {
            Tensor[]?[] parts = [.. new[] { Latents, Sigma, Velocity, T5Ids, ClipIds, Features, Weight, Subjects }.Select(whole => whole?.chunk(count))];
            return [.. Enumerable.Range(0, count).Select(i => new Example(
                parts[0]![i], parts[1]![i], parts[2]![i], parts[3]![i], parts[4]![i], PositionIds, parts[5]?[i], parts[6]?[i], PanelOfToken, parts[7]![i]))];
        }

        public Example On(Device device) => new(
            Latents.to(device), Sigma.to(device), Velocity.to(device), T5Ids.to(device), ClipIds.to(device), PositionIds.to(device), Features?.to(device),
            Weight?.to(device), PanelOfToken.to(device), Subjects.to(device));
    }
}
