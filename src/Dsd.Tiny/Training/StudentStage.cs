using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Tiny.Training;

/// <summary>The method itself: the teacher draws sheets, the judge keeps the best of their pairs, and a LoRA learns from those.</summary>
internal static class StudentStage
{
    private const int DrawBatch = 128;

    public static bool Run(StageContext context)
    {
        StudentStageConfig stage = context.Config.Student;
        List<Candidate> candidates = Draw(context);
        List<TrainingPair> pairs = Curate(context, candidates);
        context.Log($"student: {pairs.Count} ordered pairs kept of {2 * candidates.Count}");

        using FluxModel model = FluxModel.LoadConditional(context.OutFolder, options: Options(context));
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
            Checkpoint = context.Checkpoint("student"),
        });
        // The trainer knows no deadline: time that is up cancels it, which writes a checkpoint too.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (context.Deadline < DateTime.MaxValue)
        {
            stop.CancelAfter(context.TimeLeft > TimeSpan.Zero ? context.TimeLeft : TimeSpan.Zero);
        }
        try
        {
            using LoraAdapter adapter = trainer.Train(pairs, context.Progress("student"), stop.Token);
            adapter.Save(Path.Combine(context.OutFolder, "dsd", "pytorch_lora_weights.safetensors"));
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            return false;
        }
        Preview.Student(context);
        return true;
    }

    /// <summary>Two panels of one sheet, with the prompts that tell of each as a change of the other.</summary>
    private sealed record Candidate(Picture A, Picture B, string PromptA, string PromptB);

    private static List<Candidate> Draw(StageContext context)
    {
        StudentStageConfig stage = context.Config.Student;
        int side = context.Config.PanelSize;
        TextToImageOptions options = new() { Width = 2 * side, Height = side, Steps = stage.SamplingSteps, Guidance = stage.Guidance };
        PanelCutterOptions cut = new() { PanelWidth = side, PanelHeight = side };
        WorldRandom random = new((ulong)context.Config.Seed);
        List<Candidate> candidates = [];
        using FluxPipeline teacher = FluxPipeline.Load(context.OutFolder, Options(context));
        while (candidates.Count < stage.Grids)
        {
            int count = Math.Min(DrawBatch, stage.Grids - candidates.Count);
            Context[][] contexts = [.. Enumerable.Range(0, count).Select(_ => new[] { WorldSampler.SampleContext(random), WorldSampler.SampleContext(random) })];
            TextToImageRequest[] requests = [.. contexts.Select(c => new TextToImageRequest(
                Captions.Grid(WorldSampler.SampleSubject(random), c, random.NextBits()).Text, (long)(random.NextBits() >> 1)))];
            IReadOnlyList<Picture> sheets = teacher.Generate(requests, options, cancellationToken: context.CancellationToken);
            for (int i = 0; i < count; i++)
            {
                IReadOnlyList<Picture> panels = PanelCutter.Cut(sheets[i], GridLayout.OneByTwo, cut);
                candidates.Add(new Candidate(
                    panels[0], panels[1], Captions.Edit(contexts[i][0], random.NextBits()).Text, Captions.Edit(contexts[i][1], random.NextBits()).Text));
            }
            context.Log($"student: {candidates.Count}/{stage.Grids} sheets drawn");
        }
        return candidates;
    }

    /// <summary>Keeps the pairs on which the judge is surest, and makes that its threshold from now on.</summary>
    private static List<TrainingPair> Curate(StageContext context, List<Candidate> candidates)
    {
        string folder = Path.Combine(context.OutFolder, "judge");
        double[] agreement;
        using (TinyJudge judge = TinyJudge.Load(folder, context.Device))
        {
            agreement = [.. candidates.Select(c => judge.Agreement(c.A, c.B))];
        }
        double[] ordered = [.. agreement.Order()];
        double threshold = ordered[(int)((1 - context.Config.Student.KeptShare) * (ordered.Length - 1))];
        context.Log($"student: agreement at 10, 50, 90 %: {ordered[ordered.Length / 10]:F4} {ordered[ordered.Length / 2]:F4} {ordered[ordered.Length * 9 / 10]:F4}; kept from {threshold:F4}");
        JudgeConfig config = JudgeConfig.Load(Path.Combine(folder, "config.json"));
        context.Log($"student: the threshold that is best on clean drawings is {config.SameThreshold:F4}");
        (config with { SameThreshold = Math.Clamp(threshold, 1e-9, 1 - 1e-9) }).Save(Path.Combine(folder, "config.json"));
        return
        [
            .. candidates.Where((_, i) => agreement[i] >= threshold)
                .SelectMany(c => new[] { new TrainingPair(c.A, c.B, c.PromptB), new TrainingPair(c.B, c.A, c.PromptA) }),
        ];
    }

    private static PipelineOptions Options(StageContext context) => new()
    {
        Device = context.Device,
        DType = context.Device.type == TorchSharp.DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
    };
}
