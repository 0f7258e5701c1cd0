using Dsd.Lab.Training;
using Dsd.Models.Layers;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Weights;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Judge;

/// <summary>Trains the judge's network on drawings whose truth is known.</summary>
internal static class JudgeTraining
{
    /// <summary>Trains, calibrates on held-out subjects and writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="options">How to train.</param>
    /// <param name="progress">Reports every 50 steps.</param>
    /// <param name="cancellationToken">Checked between steps; a cancelled run leaves a checkpoint from which the next one continues.</param>
    /// <returns>How good the result is.</returns>
    /// <exception cref="ArgumentException">The config's attributes are not the world's.</exception>
    public static JudgeTrainingReport Run(
        JudgeTrainingOptions options, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        JudgeConfig config = options.Config;
        if (!config.Attributes.Select(kind => (kind.Name, kind.Count)).SequenceEqual(Subject.Kinds.Select(kind => (kind.Name, kind.Count))))
        {
            throw new ArgumentException("Option Config.Attributes must be Subject.Kinds: only those can be drawn.", nameof(options));
        }
        string checkpoint = Path.Combine(options.Folder, "checkpoints");
        random.manual_seed((long)options.Seed);
        using JudgeNetwork network = new(config, options.Device);
        PanelBatches batches = new(options.Seed, options.Batch, config.ImageSize, options.DistinctBatches);
        using TrainingLoop loop = new(network.parameters(), new TrainingLoopOptions
        {
            Steps = options.Steps,
            PeakLearningRate = options.LearningRate,
            WarmupSteps = options.WarmupSteps,
            Optimizer = new AdamWOptions { WeightDecay = options.WeightDecay },
            AverageDecay = options.AverageDecay,
            CheckpointFolder = checkpoint,
            Deadline = options.MaxTime >= DateTime.MaxValue - DateTime.UtcNow ? DateTime.MaxValue : DateTime.UtcNow + options.MaxTime,
        });
        network.train();
        bool complete = loop.Run(step => Loss(network, batches, options, step), progress, cancellationToken);
        network.eval();

        JudgeTrainingReport report = JudgeCalibration.Fit(network, options, complete);
        report.Config.Save(Path.Combine(options.Folder, "config.json"));
        Save(network, options);
        if (complete)
        {
            Directory.Delete(checkpoint, recursive: true);
        }
        return report;
    }

    /// <summary>The loss of one step: freshly drawn pictures, augmented.</summary>
    internal static Tensor Loss(JudgeNetwork network, PanelBatches batches, JudgeTrainingOptions options, long step)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor values) = batches.Take(step, options.Device);
        random.manual_seed((long)(WorldRandom.Mix(options.Seed) ^ (ulong)step));
        return Loss(network, JudgeAugmentation.Apply(images, null, options.RoundTrip), values).MoveToOuterDisposeScope();
    }

    /// <summary>The sum of the cross entropies of all attributes.</summary>
    /// <param name="network">The network that is trained.</param>
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <param name="values">[batch, attributes], the true value indices as int64.</param>
    /// <returns>A scalar with gradients, the mean over the batch.</returns>
    internal static Tensor Loss(JudgeNetwork network, Tensor images, Tensor values)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] logits = network.Split(network.forward(images));
        Tensor loss = nn.functional.cross_entropy(logits[0], values.select(1, 0));
        for (int i = 1; i < logits.Length; i++)
        {
            loss = loss.Plus(nn.functional.cross_entropy(logits[i], values.select(1, i)));
        }
        return loss.MoveToOuterDisposeScope();
    }

    private static void Save(JudgeNetwork network, JudgeTrainingOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        SafetensorsWriter.Write(
            Path.Combine(options.Folder, "model.safetensors"),
            network.state_dict().OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(options.StoredType))),
            new Dictionary<string, string> { ["format"] = "pt" });
    }
}
