using System.Numerics;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>
/// How much of what was asked for a classifier's reading of a picture finds: concept preservation and prompt following (section 4 of the paper), by
/// counting.
/// </summary>
/// <remarks>
/// A reading is what <see cref="AttributeClassifier.Read"/> gives: a value index for each of <see cref="Subject.Kinds"/>, then for each of
/// <see cref="Context.Kinds"/>.
/// </remarks>
internal static class AttributeScores
{
    /// <summary>The length of a reading.</summary>
    public static int ReadingLength { get; } = Subject.Kinds.Count + Context.Kinds.Count;

    /// <summary>Concept preservation: the share of the true subject's identity attributes that were read, 0 … 1.</summary>
    /// <param name="read">The reading of a picture.</param>
    /// <param name="truth">The subject that the picture should show.</param>
    /// <exception cref="ArgumentException">The reading has another length than <see cref="ReadingLength"/>.</exception>
    public static double IdentityShare(int[] read, Subject truth)
    {
        ArgumentNullException.ThrowIfNull(truth);
        Check(read);
        int[] values = truth.Values;
        return (double)values.Where((value, i) => read[i] == value).Count() / values.Length;
    }

    /// <summary>Prompt following: the share of the context attributes stated by a prompt that were read, 0 … 1.</summary>
    /// <param name="read">The reading of a picture.</param>
    /// <param name="truth">The context that the prompt speaks of.</param>
    /// <param name="statedMask">
    /// Bit i is set where the prompt states attribute i of <see cref="Context.Kinds"/>: an entry of <see cref="Caption.ContextMasks"/>.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The reading has another length than <see cref="ReadingLength"/>, or the mask states nothing or an attribute that does not exist.
    /// </exception>
    public static double ContextShare(int[] read, Context truth, int statedMask)
    {
        ArgumentNullException.ThrowIfNull(truth);
        Check(read);
        int[] values = truth.Values;
        if (statedMask <= 0 || statedMask >> values.Length != 0)
        {
            throw new ArgumentException(
                $"The mask {statedMask} must state at least one of the {values.Length} attributes of a context and no other.", nameof(statedMask));
        }
        int found = values.Where((value, i) => (statedMask >> i & 1) == 1 && read[Subject.Kinds.Count + i] == value).Count();
        return (double)found / BitOperations.PopCount((uint)statedMask);
    }

    private static void Check(int[] read)
    {
        ArgumentNullException.ThrowIfNull(read);
        if (read.Length != ReadingLength)
        {
            throw new ArgumentException($"A reading has {ReadingLength} values, but {read.Length} were given.", nameof(read));
        }
    }
}
