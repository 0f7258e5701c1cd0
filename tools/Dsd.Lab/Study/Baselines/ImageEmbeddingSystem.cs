using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Lab.Study.Baselines;

/// <summary>
/// <c>image_embedding</c>: conditioning through a pooled image embedding. The reference reaches the model only as a few extra tokens made of
/// one vector, in which its places are averaged away.
/// </summary>
/// <remarks>
/// IP-Adapter (Ye et al. 2023) makes tokens of a picture's pooled embedding and attends to them beside the text. In a transformer whose
/// attention joins text and image, the nearest to that are further tokens of the text stream. The encoder is small and learns with the
/// adapter: the world's pictures are no photographs, for which published encoders were made.
/// </remarks>
internal static class ImageEmbeddingSystem
{
    /// <summary>The system's name in the study's results.</summary>
    public const string Name = "image_embedding";

    /// <summary>Trains the encoder and an adapter on pairs.</summary>
    /// <param name="modelFolder">The teacher: a pipeline's folder in diffusers' layout.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="pairs">The examples, at least one.</param>
    /// <param name="budget">Steps, batch, rates, rank, guidance and seed.</param>
    /// <param name="outFile">A safetensors file for the adapter (<c>transformer.…</c>) and the encoder (<c>encoder.…</c>).</param>
    /// <param name="checkpoint">A folder for the state, from which an interrupted run continues; it is deleted at the end; null keeps none.</param>
    /// <param name="progress">Reports every 50 steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps; the checkpoint is written first.</param>
    /// <exception cref="ArgumentException">There is no pair.</exception>
    public static void Train(
        string modelFolder, Device device, IReadOnlyList<TrainingPair> pairs, StudyBudget budget, string outFile, string? checkpoint = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using ImageEmbeddingNetwork network = ImageEmbeddingNetwork.Create(modelFolder, device, budget.Rank, budget.Seed);
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
        using ImageEmbeddingNetwork network = ImageEmbeddingNetwork.Load(modelFolder, device, weightsFile);
        return FrameDrawing.Run(network, cases, sampling ?? TinyModel.Sampling, cancellationToken);
    }
}
