using System.Numerics.Tensors;
using Dsd.Common.Options;
using Dsd.Evaluation.Encoders;
using Dsd.Imaging;

namespace Dsd.Evaluation.Metrics;

/// <summary>Finds pictures that are nearly the same as an earlier one, by their embeddings.</summary>
public static class NearDuplicates
{
    /// <summary>
    /// Goes through embeddings in their order and drops each that lies too near to one that was kept. So the first of a group stays, and the same list gives
    /// the same result each time.
    /// </summary>
    /// <param name="embeddings">Embeddings of one encoder, none of them all 0.</param>
    /// <param name="most">The largest cosine that two kept embeddings may have, −1 to 1.</param>
    /// <param name="cancellationToken">Checked before each embedding.</param>
    /// <returns>For each embedding the index of the kept one that it nearly repeats, the most similar of them; null where it is kept.</returns>
    /// <remarks>Each is compared with all that are kept, on all cores: a hundred thousand of 512 numbers take five billion products of vectors.</remarks>
    /// <exception cref="ArgumentException">The embeddings have different lengths, or one of them is all 0 or not finite.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static IReadOnlyList<int?> Find(IReadOnlyList<float[]> embeddings, double most, CancellationToken cancellationToken = default)
    {
        const int WorthThreads = 4096;
        ArgumentNullException.ThrowIfNull(embeddings);
        OptionCheck.Range(most, -1.0, 1.0, nameof(most));
        int?[] repeats = new int?[embeddings.Count];
        List<(int Index, float[] Direction)> kept = [];
        for (int i = 0; i < embeddings.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            float[] direction = Direction(embeddings[i], embeddings[0].Length, i);
            double[] cosines = new double[kept.Count];
            if (kept.Count < WorthThreads)
            {
                Compare(0, kept.Count);
            }
            else
            {
                int share = (kept.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount;
                Parallel.For(0, Environment.ProcessorCount, p => Compare(p * share, Math.Min((p + 1) * share, kept.Count)));
            }
            int nearest = cosines.Length == 0 ? -1 : TensorPrimitives.IndexOfMax<double>(cosines);
            if (nearest >= 0 && cosines[nearest] > most)
            {
                repeats[i] = kept[nearest].Index;
            }
            else
            {
                kept.Add((i, direction));
            }

            void Compare(int from, int to)
            {
                for (int j = from; j < to; j++)
                {
                    cosines[j] = TensorPrimitives.Dot<float>(direction, kept[j].Direction);
                }
            }
        }
        return repeats;
    }

    /// <summary>The same for pictures: those that nearly repeat an earlier one.</summary>
    /// <param name="pictures">
    /// The pictures with their names, each named differently. A batch of them is in memory at a time, and an embedding of each in the end.
    /// </param>
    /// <param name="encoder">What they look like to.</param>
    /// <param name="most">The largest cosine that two kept pictures may have, −1 to 1.</param>
    /// <param name="batch">How many are encoded at once, 1 to 1024.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static FoundDuplicates Find(
        IEnumerable<KeyValuePair<string, Picture>> pictures, IPictureEncoder encoder, double most, int batch = 16,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentNullException.ThrowIfNull(encoder);
        OptionCheck.Range(batch, 1, 1024, nameof(batch));
        List<string> names = [];
        List<float[]> embeddings = [];
        foreach (KeyValuePair<string, Picture>[] some in pictures.Chunk(batch))
        {
            names.AddRange(some.Select(p => p.Key));
            embeddings.AddRange(encoder.Encode([.. some.Select(p => p.Value)], batch, cancellationToken));
        }
        IReadOnlyList<int?> repeats = Find(embeddings, most, cancellationToken);
        return new FoundDuplicates(
            Enumerable.Range(0, names.Count).Where(i => repeats[i] is not null).ToDictionary(i => names[i], i => names[repeats[i]!.Value]), names.Count);
    }

    private static float[] Direction(float[] embedding, int length, int index)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        float norm = TensorPrimitives.Norm<float>(embedding);
        if (embedding.Length != length || !(norm > 0 && float.IsFinite(norm)))
        {
            throw new ArgumentException(
                $"Embedding {index}: expected {length} numbers that are finite and not all 0, found {embedding.Length} numbers of norm {norm}.",
                nameof(embedding));
        }
        float[] direction = new float[length];
        TensorPrimitives.Divide(embedding, norm, direction);
        return direction;
    }
}
