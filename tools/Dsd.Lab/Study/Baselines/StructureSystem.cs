using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// <c>structure</c>: conditioning through added structure. The reference's latents are added, place by place, to the output frame's own tokens.
/// </summary>
/// <remarks>
/// ControlNet (Zhang et al. 2023) adds features of a condition to those of a frozen network, spatially aligned and through layers that
/// start at zero, and learns them in a trained copy of the network. Here the added features come from one such layer, the
/// <c>c_embedder</c>, and a LoRA takes the place of the copy, so that the system has the same budget as the others. The difference to
/// Diffusion Self-Distillation is the canvas: a single frame, on which reference and output share their places, in place of two side by side.
/// </remarks>
internal static class StructureSystem
{
    /// <summary>The system's name in the study's results.</summary>
    public const string Name = "structure";

    /// <summary>Trains the condition embedder and an adapter on pairs.</summary>
    /// <param name="modelFolder">The teacher: a pipeline's folder in diffusers' layout.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="pairs">The examples, at least one.</param>
    /// <param name="budget">Steps, batch, rates, rank, guidance and seed.</param>
    /// <param name="outFile">The adapter's file, in diffusers' layout with the whole <c>c_embedder</c>.</param>
    /// <param name="checkpoint">A folder for the state, from which an interrupted run continues; it is deleted at the end; null keeps none.</param>
    /// <param name="progress">Reports every 50 steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps; the checkpoint is written first.</param>
    /// <exception cref="ArgumentException">There is no pair.</exception>
    public static void Train(
        string modelFolder, Device device, IReadOnlyList<TrainingPair> pairs, StudyBudget budget, string outFile, string? checkpoint = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using StructureNetwork network = StructureNetwork.Create(modelFolder, device, budget.Rank, budget.Seed);
        FrameTraining.Run(network, pairs, budget, outFile, checkpoint, progress, cancellationToken);
    }

    /// <summary>Draws a picture for each case, from its reference and its prompt.</summary>
    /// <param name="modelFolder">The teacher's folder.</param>
    /// <param name="device">Where to draw.</param>
    /// <param name="weightsFile">What <see cref="Train"/> wrote.</param>
    /// <param name="cases">What is asked for.</param>
    /// <param name="sampling">Steps and guidance; null is <see cref="TinyModel.Sampling"/>.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>The pictures, in the order of the cases.</returns>
    /// <exception cref="ArgumentException">The sampling options ask for another size or for a sampled condition.</exception>
    public static IReadOnlyList<Picture> Draw(
        string modelFolder, Device device, string weightsFile, IReadOnlyList<StudyCase> cases, DsdOptions? sampling = null,
        CancellationToken cancellationToken = default)
    {
        using StructureNetwork network = StructureNetwork.Load(modelFolder, device, weightsFile);
        return FrameDrawing.Run(network, cases, sampling ?? TinyModel.Sampling, cancellationToken);
    }
}
