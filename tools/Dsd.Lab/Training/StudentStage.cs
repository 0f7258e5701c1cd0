using System.Security.Cryptography;
using System.Text.Json;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Tiny.Judge;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>The method itself: the teacher draws grids, the judge keeps the best of their pairs, and a LoRA learns from those.</summary>
internal static class StudentStage
{
    public static bool Run(StageContext context)
    {
        // Neither drawing nor the trainer knows a deadline: time that is up cancels them, upon which they keep what they have.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (context.Deadline < DateTime.MaxValue)
        {
            stop.StopAfter(context.TimeLeft);
        }
        try
        {
            Train(context, stop.Token);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            return false;
        }
        Preview.Student(context);
        Directory.Delete(GridsFolder(context), recursive: true);
        return true;
    }

    private static string GridsFolder(StageContext context) => Path.Combine(context.WorkFolder, "student-grids");

    private static void Train(StageContext context, CancellationToken stop)
    {
        StudentStageConfig stage = context.Config.Student;
        TeacherGridOptions grids = new()
        {
            ModelFolder = context.OutFolder,
            PanelSize = context.Config.PanelSize,
            Count = stage.Grids,
            Steps = stage.SamplingSteps,
            Guidance = stage.Guidance,
            Seed = context.Config.Seed,
            WholeSubjectShare = stage.WholeSubjectShare,
        };
        List<GridPair> drawn = TeacherGrids.Draw(
            grids, Path.Combine(GridsFolder(context), Name(grids)), context.Devices, line => context.Log($"student: {line}"), stop);
        GridCuration curation;
        using (TinyJudge judge = TinyJudge.Load(Path.Combine(context.OutFolder, "judge"), context.Device))
        {
            curation = GridCuration.Of(judge, drawn, stage.LeastKeptShare);
        }
        context.Log($"student: the judge calls {curation.CalledSame} of {drawn.Count} grids the same subject; {curation.Kept.Count} kept");
        TrainingPair[] pairs = [.. curation.Kept.SelectMany(i => drawn[i].Both)];

        using FluxModel model = (FluxModel)DiffusionModel.LoadConditional(context.OutFolder, options: ModelLoading.On(context.Device));
        StartCondition(model.Network, stage.ConditionStart);
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
        using LoraAdapter adapter = trainer.Train(pairs, context.Progress("student"), stop);
        // As all weights of the model: half the size, and no picture tells the difference.
        adapter.Save(TinyFiles.AdapterFile(context.OutFolder), ScalarType.BFloat16);
    }

    /// <summary>A new adapter takes the condition embedder as it finds it.</summary>
    internal static void StartCondition(DenoisingNetwork network, double factor)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Dictionary<string, Parameter> parameters = network.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (string part in (string[])["weight", "bias"])
        {
            parameters[$"c_embedder.{part}"].copy_(parameters[$"x_embedder.{part}"].Times(factor));
        }
    }

    /// <summary>A name that other options or another teacher do not have, so that no grids of theirs are taken for these.</summary>
    private static string Name(TeacherGridOptions grids)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(grids with { ModelFolder = "" }));
        foreach (string file in Directory.EnumerateFiles(Path.Combine(grids.ModelFolder, "transformer")).Order(StringComparer.Ordinal))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
