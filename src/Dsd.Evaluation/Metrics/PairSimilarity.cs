using Dsd.Evaluation.Encoders;
using Dsd.Imaging;

namespace Dsd.Evaluation.Metrics;

/// <summary>How alike two pictures are to an encoder.</summary>
/// <param name="Cosine">The cosine of their embeddings, −1 to 1.</param>
/// <param name="CopyPaste">How far the second repeats the first (<see cref="Similarity.CopyPaste"/>), 0 to 1; null where it was not asked for.</param>
public readonly record struct PairSimilarity(double Cosine, double? CopyPaste)
{
    /// <summary>Compares pictures two by two.</summary>
    /// <param name="encoder">What turns them into embeddings.</param>
    /// <param name="pairs">Reference and generated picture.</param>
    /// <param name="copyPaste">Whether to look for copies too, which takes the embedding of the mirrored reference.</param>
    /// <param name="batch">At most how many pictures are computed at once, 1 to 1024.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>One for each pair, in their order.</returns>
    public static IReadOnlyList<PairSimilarity> Of(
        IPictureEncoder encoder, IReadOnlyList<(Picture Reference, Picture Generated)> pairs, bool copyPaste = false, int batch = 16,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(pairs);
        Picture[] pictures =
            [.. pairs.Select(p => p.Reference), .. pairs.Select(p => p.Generated), .. copyPaste ? pairs.Select(p => p.Reference.Mirror()) : []];
        float[][] embeddings = encoder.Encode(pictures, batch, cancellationToken);
        return
        [
            .. Enumerable.Range(0, pairs.Count).Select(i =>
            {
                float[] generated = embeddings[pairs.Count + i];
                double cosine = Similarity.Cosine(embeddings[i], generated);
                return new PairSimilarity(
                    cosine, copyPaste ? Similarity.CopyPaste(cosine, Similarity.Cosine(embeddings[2 * pairs.Count + i], generated)) : null);
            }),
        ];
    }
}
