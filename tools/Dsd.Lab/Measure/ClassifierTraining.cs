using Dsd.Lab.Training;
using Dsd.Models.Layers;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Weights;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Measure;

/// <summary>Trains the classifier on drawings whose truth is known, and on nothing else.</summary>
internal static class ClassifierTraining
{
    private const int MeasuredBatch = 200;

    // The judge draws its pictures from the config's seed too; the classifier sees others.
    private const ulong Salt = 0xC1A5_51F1_E500_0000UL;

    /// <summary>
    /// Trains, measures on held-out subjects and writes <c>config.json</c> and <c>model.safetensors</c>, also when the time is up before the last
    /// step.
    /// </summary>
    /// <param name="options">How to train.</param>
    /// <param name="progress">Reports every 50 steps.</param>
    /// <param name="cancellationToken">Checked between steps; a cancelled run leaves a checkpoint from which the next one continues.</param>
    /// <returns>How good the result is, with the weights as they are stored.</returns>
    /// <exception cref="ArgumentException">The config's attributes are not the world's.</exception>
    public static ClassifierTrainingReport Run(
        ClassifierTrainingOptions options, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Config.IsOfWorld)
        {
            throw new ArgumentException("Option Config.Attributes must be Subject.Kinds followed by Context.Kinds: only those can be drawn.", nameof(options));
        }
        string checkpoint = Path.Combine(options.Folder, "checkpoints");
        random.manual_seed((long)(options.Seed ^ Salt));
        using ClassifierNetwork network = new(options.Config, options.Device);
        PanelBatches batches = new(options.Seed ^ Salt, options.Batch, options.Config.ImageSize, options.DistinctBatches);
        using TrainingLoop loop = new(network.parameters(), new TrainingLoopOptions
        {
            Steps = options.Steps,
            PeakLearningRate = options.LearningRate,
            WarmupSteps = options.WarmupSteps,
            Optimizer = new AdamWOptions { WeightDecay = options.WeightDecay },
            AverageDecay = options.AverageDecay,
            CheckpointFolder = checkpoint,
            Deadline = options.Deadline,
        });
        network.train();
        bool complete = loop.Run(step => Loss(network, batches, options, step), progress, cancellationToken);
        network.eval();

        options.Config.Save(Path.Combine(options.Folder, "config.json"));
        string file = Path.Combine(options.Folder, "model.safetensors");
        Save(network, file, options.StoredType);
        using (WeightSource stored = WeightSource.Open(file))
        {
            // What is measured is what others will load.
            WeightLoader.Load(network, stored);
        }
        ClassifierTrainingReport report = Measure(network, options, complete);
        if (complete)
        {
            Directory.Delete(checkpoint, recursive: true);
        }
        return report;
    }

    private static Tensor Loss(ClassifierNetwork network, PanelBatches batches, ClassifierTrainingOptions options, long step)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor values) = batches.Take(step, options.Device);
        random.manual_seed((long)(WorldRandom.Mix(options.Seed ^ Salt) ^ (ulong)step));
        return network.Loss(ClassifierAugmentation.Apply(images, options.RoundTrip), values).MoveToOuterDisposeScope();
    }

    private static ClassifierTrainingReport Measure(ClassifierNetwork network, ClassifierTrainingOptions options, bool complete)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        int batch = Math.Min(MeasuredBatch, options.HeldOutPictures + options.HeldOutPictures % 2);
        int count = (options.HeldOutPictures + batch - 1) / batch;
        PanelBatches batches = new(~(options.Seed ^ Salt), batch, options.Config.ImageSize, heldOut: true);
        Tensor right = zeros(options.Config.Attributes.Count, device: options.Device);
        Tensor decodedRight = right.clone();
        for (int i = 0; i < count; i++)
        {
            using DisposeScope part = NewDisposeScope();
            (Tensor images, Tensor values) = batches.Take(i, options.Device);
            right.AddInPlace(network.Read(images).eq(values).to(ScalarType.Float32).sum([0L]));
            if (options.RoundTrip is not null)
            {
                decodedRight.AddInPlace(network.Read(options.RoundTrip(images).Clamped(-1, 1)).eq(values).to(ScalarType.Float32).sum([0L]));
            }
        }
        return new ClassifierTrainingReport(Shares(right), options.RoundTrip is null ? new Dictionary<string, double>() : Shares(decodedRight), complete);

        Dictionary<string, double> Shares(Tensor counted) =>
            options.Config.Attributes.Zip(counted.cpu().data<float>().ToArray())
                .ToDictionary(pair => pair.First.Name, pair => pair.Second / ((double)batch * count));
    }

    private static void Save(ClassifierNetwork network, string file, ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        SafetensorsWriter.Write(
            file,
            network.state_dict().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(type))),
            new Dictionary<string, string> { ["format"] = "pt" });
    }
}
