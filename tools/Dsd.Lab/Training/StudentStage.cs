using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Tiny.Judge;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>The method itself: the teacher draws grids, the judge keeps the best of their pairs, and a LoRA learns from those.</summary>
internal static class StudentStage
{
    public static bool Run(StageContext context)
    {
        StudentStageConfig stage = context.Config.Student;
        List<GridPair> drawn = TeacherGrids.Draw(
            new TeacherGridOptions
            {
                ModelFolder = context.OutFolder,
                Device = context.Device,
                PanelSize = context.Config.PanelSize,
                Count = stage.Grids,
                Steps = stage.SamplingSteps,
                Guidance = stage.Guidance,
                Seed = context.Config.Seed,
                WholeSubjectShare = stage.WholeSubjectShare,
            },
            line => context.Log($"student: {line}"),
            context.CancellationToken);
        GridCuration curation;
        using (TinyJudge judge = TinyJudge.Load(Path.Combine(context.OutFolder, "judge"), context.Device))
        {
            curation = GridCuration.Of(judge, drawn, stage.LeastKeptShare);
        }
        context.Log($"student: the judge calls {curation.CalledSame} of {drawn.Count} grids the same subject; {curation.Kept.Count} kept");
        TrainingPair[] pairs = [.. curation.Kept.SelectMany(i => drawn[i].Both)];

        using FluxModel model = (FluxModel)DiffusionModel.LoadConditional(context.OutFolder, options: ModelLoading.On(context.Device));
        LoraTrainer trainer = new(model, new LoraTrainingOptions
        {
            Width = context.Config.PanelSize,
            Height = context.Config.PanelSize,
            Adapter = new LoraOptions { Rank = stage.Rank, Seed = context.Config.Seed },
            Steps = stage.Steps,
            BatchSize = stage.Batch,
            LearningRate = stage.PeakLearningRate,
            WarmupSteps = Math.Min(100, stage.Steps / 10),
            AverageDecay = 0.995,
            Guidance = stage.Guidance,
            Seed = context.Config.Seed,
            CheckpointFolder = context.Checkpoints("student"),
        });
        // The trainer knows no deadline: time that is up cancels it, which writes a checkpoint too.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (context.Deadline < DateTime.MaxValue)
        {
            stop.StopAfter(context.TimeLeft);
        }
        try
        {
            using LoraAdapter adapter = trainer.Train(pairs, context.Progress("student"), stop.Token);
            // As all weights of the model: half the size, and no picture tells the difference.
            adapter.Save(TinyFiles.AdapterFile(context.OutFolder), ScalarType.BFloat16);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            return false;
        }
        Preview.Student(context);
        return true;
    }
}
