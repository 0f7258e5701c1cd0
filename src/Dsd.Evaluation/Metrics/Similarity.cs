using System.Numerics.Tensors;
using Dsd.Common.Options;

namespace Dsd.Evaluation.Metrics;

/// <summary>How alike two embeddings are, and what follows from it.</summary>
public static class Similarity
{
    /// <summary>
    /// The bound from which two pictures count as nearly copies: SynCD leaves out training pairs whose DINOv2 embeddings have a larger cosine (its
    /// <c>method/data/data.py</c>).
    /// </summary>
    public const double NearCopy = 0.98;

    /// <summary>
    /// The temperature of <see cref="CopyPaste"/>: two cosines that differ by it differ by a factor of e in the score's odds.
    /// </summary>
    public const double CopyPasteTemperature = 0.01;

    /// <summary>
    /// The cosine of the angle between two embeddings, −1 to 1. Of two pictures' embeddings it is the similarity that papers call CLIP-I, DINO, DINOv2 or CSD
    /// after the encoder; of a picture's and a text's it is CLIP-T, which some papers multiply by 100. Vectors that are equal, number for number, give 1.
    /// </summary>
    /// <param name="one">An embedding.</param>
    /// <param name="other">As many numbers.</param>
    /// <exception cref="ArgumentException">The embeddings have different lengths, or one of them is all 0 or not finite.</exception>
    public static double Cosine(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        if (one.Length != other.Length)
        {
            throw new ArgumentException($"Embeddings of one encoder are compared, but these have {one.Length} and {other.Length} numbers.", nameof(other));
        }
        if (one.SequenceEqual(other) && TensorPrimitives.SumOfSquares(one) is > 0 and < float.PositiveInfinity)
        {
            return 1;
        }
        double dot = 0;
        double square = 0;
        double otherSquare = 0;
        for (int i = 0; i < one.Length; i++)
        {
            dot += (double)one[i] * other[i];
            square += (double)one[i] * one[i];
            otherSquare += (double)other[i] * other[i];
        }
        double length = Math.Sqrt(square) * Math.Sqrt(otherSquare);
        return length > 0 && double.IsFinite(length)
            ? Math.Clamp(dot / length, -1, 1)
            : throw new ArgumentException("An embedding has a direction, but one of these is all 0 or not finite.", nameof(other));
    }

    /// <summary>
    /// How far a generated picture repeats its reference pixel for pixel, in place of showing the subject anew: 0 to 1. It is nearer to the reference than to
    /// the reference mirrored only if it repeats more than the subject, since a mirrored subject is the same subject. 0.5 says nothing of a copy.
    /// </summary>
    /// <remarks>
    /// The first number of softmax([cosine with the reference, cosine with the mirrored reference] / 0.01), after ViStoryBench's copy-paste score, with one
    /// reference. Two versions of its code (a4933ed, 2fd2211) compare with further references of the same character instead, so their numbers are others.
    /// </remarks>
    /// <param name="toReference">The cosine of the generated picture and the reference, −1 to 1.</param>
    /// <param name="toMirrored">The cosine of the generated picture and the mirrored reference, −1 to 1.</param>
    public static double CopyPaste(double toReference, double toMirrored)
    {
        OptionCheck.Range(toReference, -1.0, 1.0, nameof(toReference));
        OptionCheck.Range(toMirrored, -1.0, 1.0, nameof(toMirrored));
        return 1 / (1 + Math.Exp((toMirrored - toReference) / CopyPasteTemperature));
    }
}
