using Dsd.Lab.Judge;
using Dsd.Models.Autoencoder;
using Dsd.Tiny.Judge;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Trains the judge on drawings whose truth is known, some of them passed through the autoencoder as the teacher's are.</summary>
internal static class JudgeStage
{
    // Drawing takes longer than learning: a hundred thousand pictures come again and again, each time changed in another way.
    private const int DistinctBatches = 400;

    public static bool Run(StageContext context)
    {
        StageConfig stage = context.Config.Judge;
        using AutoencoderKL vae = TinyFiles.LoadVae(context.OutFolder, context.Device);
        JudgeTrainingReport report = JudgeTraining.Run(
            new JudgeTrainingOptions
            {
                Folder = Path.Combine(context.OutFolder, "judge"),
                Config = JudgeConfig.ForWorld with { ImageSize = context.Config.PanelSize },
                Device = context.Device,
                Steps = (int)stage.Steps,
                Batch = stage.Batch,
                LearningRate = stage.PeakLearningRate,
                Seed = (ulong)context.Config.Seed,
                DistinctBatches = DistinctBatches,
                MaxTime = context.TimeLeft,
                RoundTrip = images =>
                {
                    using IDisposable noGrad = no_grad();
                    return vae.forward(images);
                },
            },
            context.Progress("judge"),
            context.CancellationToken);
        foreach ((string attribute, double accuracy) in report.Accuracy)
        {
            context.Log($"judge: {attribute} {accuracy:P1} right on held-out subjects");
        }
        context.Log($"judge: pairs {report.PairAccuracy:P1} right; kept pairs: precision {report.Precision:P1}, recall {report.Recall:P1}");
        return report.Complete;
    }
}
