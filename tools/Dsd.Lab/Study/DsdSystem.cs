using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Onnx.Runtime;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Lab.Study;

/// <summary>Diffusion Self-Distillation itself: a LoRA and the condition embedder, trained on pairs; reference and output share one canvas.</summary>
internal static class DsdSystem
{
    private const double AverageDecay = 0.995;
    private const long MostWarmup = 100;

    /// <summary>Trains an adapter on pairs.</summary>
    /// <param name="modelFolder">The teacher: a pipeline's folder in diffusers' layout.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="pairs">The examples, at least one.</param>
    /// <param name="budget">Steps, batch, rates, rank, guidance and seed.</param>
    /// <param name="outFile">The adapter's file, in diffusers' layout with the whole <c>c_embedder</c>.</param>
    /// <param name="checkpoint">A folder for the state, from which an interrupted run continues; it is deleted at the end; null keeps none.</param>
    /// <param name="progress">Reports every 50 steps and at the last.</param>
    /// <param name="referenceWeight">Weight of the reference's frame in the loss; the target's is 1.</param>
    /// <param name="cancellationToken">Checked between steps; the checkpoint is written first.</param>
    /// <exception cref="ArgumentException">There is no pair.</exception>
    public static void Train(
        string modelFolder,
        Device device,
        IReadOnlyList<TrainingPair> pairs,
        StudyBudget budget,
        string outFile,
        string? checkpoint = null,
        IProgress<TrainingProgress>? progress = null,
        double referenceWeight = 1,
        CancellationToken cancellationToken = default)
    {
        using FluxModel model = (FluxModel)DiffusionModel.LoadConditional(modelFolder, options: ModelLoading.On(device));
        LoraTrainer trainer = new(model, new LoraTrainingOptions
        {
            Width = TinyModel.PanelSize,
            Height = TinyModel.PanelSize,
            Adapter = new LoraOptions { Rank = budget.Rank, Seed = budget.Seed },
            Steps = budget.Steps,
            BatchSize = budget.Batch,
            LearningRate = budget.LearningRate,
            WarmupSteps = Math.Min(MostWarmup, budget.Steps / 10),
            AverageDecay = AverageDecay,
            Guidance = budget.Guidance,
            ReferenceWeight = referenceWeight,
            Seed = budget.Seed,
            CheckpointFolder = checkpoint,
        });
        using LoraAdapter adapter = trainer.Train(pairs, progress, cancellationToken);
        adapter.Save(outFile);
        if (checkpoint is not null)
        {
            Directory.Delete(checkpoint, recursive: true);
        }
    }

    /// <summary>Draws a picture for each case, from its reference and its prompt.</summary>
    /// <param name="modelFolder">The teacher's folder.</param>
    /// <param name="device">Where to draw.</param>
    /// <param name="weightsFile">What <see cref="Train"/> wrote.</param>
    /// <param name="cases">What is asked for, drawn in one batch.</param>
    /// <param name="sampling">Steps and guidance; null is <see cref="TinyModel.Sampling"/>.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>The pictures, in the order of the cases.</returns>
    public static IReadOnlyList<Picture> Draw(
        string modelFolder, Device device, string weightsFile, IReadOnlyList<StudyCase> cases, DsdOptions? sampling = null,
        CancellationToken cancellationToken = default)
    {
        using IStudyGenerator generator = Open(modelFolder, device, weightsFile, sampling ?? TinyModel.Sampling);
        return generator.Draw(cases, cancellationToken);
    }

    internal static IStudyGenerator Open(string modelFolder, Device device, string weightsFile, DsdOptions sampling) =>
        new Generator(DsdPipeline.Load(modelFolder, options: ModelLoading.On(device) with { Loras = [new LoraUse(weightsFile)] }), sampling);

    /// <summary>Opens an exported student.</summary>
    /// <param name="folder">What <c>dsd export</c> wrote.</param>
    /// <param name="options">Where it is drawn.</param>
    /// <param name="sampling">Steps and guidance.</param>
    /// <param name="log">Told once where the model's nodes ran.</param>
    internal static IStudyGenerator OpenExported(string folder, OnnxRuntimeOptions options, DsdOptions sampling, Action<string> log)
    {
        OnnxPipeline pipeline = OnnxPipeline.Open(folder, options);
        return new Generator(pipeline, sampling, () => log($"{folder}: {OnnxPlacement.Line(pipeline.Placements)}"));
    }

    private sealed class Generator(IDsdModel model, DsdOptions sampling, Action? afterFirst = null) : IStudyGenerator
    {
        private Action? _afterFirst = afterFirst;

        public IReadOnlyList<Picture> Draw(IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken)
        {
            IReadOnlyList<Picture> drawn = model.Generate(
                [.. cases.Select(c => new DsdRequest(c.Reference, c.Prompt.Text, c.Seed))], sampling, cancellationToken: cancellationToken);
            _afterFirst?.Invoke();
            _afterFirst = null;
            return drawn;
        }

        public void Dispose() => model.Dispose();
    }
}
