using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// Trains a network on pairs by flow matching on the target's frame, with the noise levels, shares of dropped conditions and schedule of
/// <see cref="LoraTrainer"/>, so that only the architecture differs.
/// </summary>
internal static class FrameTraining
{
    // The trainer's own defaults, and what the student's stage sets beside them.
    private static readonly LoraTrainingOptions Trainer = new();
    private const double AverageDecay = 0.995;
    private const long MostWarmup = 100;

    /// <summary>Trains, writes the file, and deletes the checkpoint. An interrupted run continues from its checkpoint.</summary>
    public static void Run(
        ReferenceNetwork network, IReadOnlyList<TrainingPair> pairs, StudyBudget budget, string outFile, string? checkpoint,
        IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        if (pairs.Count == 0)
        {
            throw new ArgumentException("There is no pair to train on.", nameof(pairs));
        }
        using DisposeScope scope = NewDisposeScope();
        Examples examples = new(
            FrameData.Latents(network.Model, [.. pairs.Select(p => p.Reference)]),
            FrameData.Latents(network.Model, [.. pairs.Select(p => p.Target)]),
            FrameData.Prompts(network.Model, [.. pairs.Select(p => p.Prompt)]));
        TextEmbedding empty = network.Model.Text.Encode([""]);
        using (TrainingLoop loop = new(network.Parameters, new TrainingLoopOptions
        {
            Steps = budget.Steps,
            PeakLearningRate = budget.LearningRate,
            WarmupSteps = Math.Min(MostWarmup, budget.Steps / 10),
            AverageDecay = AverageDecay,
            CheckpointFolder = checkpoint,
        }))
        {
            loop.Run(step => Loss(network, examples, empty, budget, step), progress, cancellationToken);
        }
        network.Save(outFile);
        if (checkpoint is not null)
        {
            Directory.Delete(checkpoint, recursive: true);
        }
    }

    private static Tensor Loss(ReferenceNetwork network, Examples examples, TextEmbedding empty, StudyBudget budget, long step)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new((ulong)(budget.Seed * 1_000_003 + step));
        Device device = network.Model.Transformer.Device;
        Tensor rows = tensor(Chosen(step, examples.Count, budget), device: device);
        Tensor latents = examples.Targets.index_select(0, rows); // [batch, tokens, channels]
        Tensor reference = examples.References.index_select(0, rows);

        // One draw decides both: below the first bound neither is given, below the second only the reference.
        Tensor drop = rand([budget.Batch, 1, 1], generator: random).to(device);
        Tensor given = drop.greater_equal(Trainer.ConditionDropout);
        Tensor wordless = drop.less(Trainer.ConditionDropout + Trainer.PromptDropout);
        Tensor text = where(wordless, empty.Text, examples.Prompts.Text.index_select(0, rows));
        Tensor pooled = where(wordless.squeeze(2), empty.Pooled, examples.Prompts.Pooled.index_select(0, rows));

        Tensor noise = randn(latents.shape, generator: random).to(device);
        float[] normal = randn(budget.Batch, generator: random).data<float>().ToArray();
        Tensor sigma = tensor(FlowMatching.Sigmas(normal, FlowMatchEulerScheduler.Mu(network.Model.Schedule, (int)latents.shape[1])), device: device);
        Tensor velocity = network.Velocity(FlowMatching.Interpolate(latents, noise, sigma), reference, given, text, pooled, sigma, budget.Guidance);
        return FlowMatching.Loss(velocity, FlowMatching.Velocity(latents, noise)).MoveToOuterDisposeScope();
    }

    /// <summary>The examples of a step: every pass over the data is a permutation of its own.</summary>
    private static long[] Chosen(long step, int count, StudyBudget budget)
    {
        long[] chosen = new long[budget.Batch];
        int[] order = [];
        long orderOf = -1;
        for (int i = 0; i < chosen.Length; i++)
        {
            (long pass, long within) = Math.DivRem(step * budget.Batch + i, count);
            if (pass != orderOf)
            {
                order = [.. Enumerable.Range(0, count)];
                new Random(unchecked((int)(budget.Seed * 31 + pass))).Shuffle(order);
                orderOf = pass;
            }
            chosen[i] = order[within];
        }
        return chosen;
    }

    /// <summary>All pairs on the device: latents of references and targets [pairs, tokens, channels], and prompts.</summary>
    private sealed record Examples(Tensor References, Tensor Targets, TextEmbedding Prompts)
    {
        public int Count => (int)Targets.shape[0];
    }
}
