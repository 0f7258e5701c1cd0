using Dsd.Lab.Judge;
using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Trains the judge on pictures whose truth is known: drawings, some passed through the autoencoder, and what the teacher makes of drawings.</summary>
internal static class JudgeStage
{
    // Drawing takes longer than learning: tens of thousands of pictures come again and again, each time changed in another way.
    private const int DistinctBatches = 400;

    // Grids of the teacher that the judge is measured and calibrated on, two for each pair.
    private const int HeldOutGrids = 2048;

    public static bool Run(StageContext context)
    {
        JudgeStageConfig stage = context.Config.Judge;
        (RedrawnPanels? redrawn, RedrawnPanels? heldOut) = Redraw(context);
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
                Redrawn = redrawn,
                HeldOutRedrawn = heldOut,
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

    /// <summary>Drawings as the teacher draws them over: of subjects that training may see, and of held-out ones.</summary>
    private static (RedrawnPanels? Training, RedrawnPanels? HeldOut) Redraw(StageContext context)
    {
        JudgeStageConfig stage = context.Config.Judge;
        if (stage.Redrawn == 0)
        {
            return (null, null);
        }
        if (!TinyFiles.HasTeacher(context.OutFolder))
        {
            throw new FileNotFoundException(
                $"'{Path.Combine(context.OutFolder, "transformer")}' holds no teacher, which judge.redrawn needs. Run the stage teacher first, or set judge.redrawn "
                    + $"to 0; beside a teacher.alignment_weight above 0 it must be 0, since the judge comes first then.");
        }
        WorldRandom random = new(WorldRandom.Mix((ulong)context.Config.Seed) ^ 0x3D6E);
        Subject[] seen = [.. Enumerable.Range(0, stage.Redrawn).Select(_ => WorldSampler.SampleSubject(random))];
        List<Subject> heldOut = [];
        for (int i = 0; heldOut.Count < HeldOutGrids; i++)
        {
            Subject one = WorldSampler.SampleSubject(random, heldOut: true);
            heldOut.AddRange([one, i % 2 == 0 ? one : WorldSampler.Change(one, random, heldOut: true)]);
        }
        using TextToImagePipeline teacher = TextToImagePipeline.Load(context.OutFolder, ModelLoading.On(context.Device));
        context.Log($"judge: the teacher draws over {seen.Length} grids, and {heldOut.Count} of held-out subjects");
        return (Draw(seen), Draw(heldOut));

        RedrawnPanels Draw(IReadOnlyList<Subject> subjects) => RedrawnPanels.Draw(
            teacher, context.Config.PanelSize, subjects, stage, context.Config.Student.Guidance, random.NextBits(), context.CancellationToken);
    }
}
