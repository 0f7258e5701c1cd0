using Dsd.Lab.Measure;
using Dsd.Models.Autoencoder;
using Dsd.Tiny.Classifier;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Trains the classifier that measures the results, on drawings whose truth is known, a share of them passed through the autoencoder.</summary>
internal static class ClassifierStage
{
    // Drawing takes longer than learning: two hundred thousand pictures come again and again, each time changed in another way.
    private const int DistinctBatches = 800;

    public static bool Run(StageContext context)
    {
        StageConfig stage = context.Config.Classifier;
        using AutoencoderKL vae = TinyFiles.LoadVae(context.OutFolder, context.Device);
        ClassifierTrainingReport report = ClassifierTraining.Run(
            new ClassifierTrainingOptions
            {
                Folder = Path.Combine(context.OutFolder, "classifier"),
                Config = ClassifierConfig.ForWorld with { ImageSize = context.Config.PanelSize },
                Device = context.Device,
                Steps = stage.Steps,
                Batch = stage.Batch,
                LearningRate = stage.PeakLearningRate,
                Seed = (ulong)context.Config.Seed,
                DistinctBatches = DistinctBatches,
                Deadline = context.Deadline,
                RoundTrip = images =>
                {
                    using IDisposable noGrad = no_grad();
                    return vae.forward(images);
                },
            },
            context.Progress("classifier"),
            context.CancellationToken);
        foreach ((string attribute, double accuracy) in report.Accuracy)
        {
            context.Log($"classifier: {attribute} {accuracy:P2} right on held-out drawings, {report.DecodedAccuracy[attribute]:P2} through the autoencoder");
        }
        context.Log($"classifier: {report.MeanAccuracy:P2} on average");
        return report.Complete;
    }
}
