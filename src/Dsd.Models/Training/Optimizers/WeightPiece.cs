using static TorchSharp.torch;

namespace Dsd.Models.Training.Optimizers;

/// <summary>Parts of parameters end to end, and where they begin in the state.</summary>
internal sealed record WeightPiece(long Start, long Length, IReadOnlyList<WeightSegment> Segments)
{
    /// <summary>Whether it is one part of one parameter, so that nothing need be joined.</summary>
    public bool IsOne => Segments is [{ Padding: 0 }];

    /// <summary>Cuts parameters into pieces.</summary>
    /// <param name="sizes">Numbers of each parameter.</param>
    /// <param name="longest">The most numbers of a piece, and never less than the alignment.</param>
    /// <param name="alignment">What each segment is filled up to a multiple of.</param>
    public static IEnumerable<WeightPiece> Of(long[] sizes, long longest, int alignment)
    {
        long Whole(long length) => (length + alignment - 1) / alignment * alignment;
        longest = Math.Max(alignment, longest / alignment * alignment);
        List<WeightSegment> segments = [];
        (long begin, long length) = (0, 0);
        for (int i = 0; i < sizes.Length; i++)
        {
            for (long start = 0; start < sizes[i];)
            {
                long part = Math.Min(longest, sizes[i] - start);
                if (segments.Count > 0 && length + Whole(part) > longest)
                {
                    yield return new WeightPiece(begin, length, segments);
                    (begin, length, segments) = (begin + length, 0, []);
                }
                segments.Add(new WeightSegment(i, start, part, Whole(part) - part));
                length += Whole(part);
                start += part;
            }
        }
        yield return new WeightPiece(begin, length, segments);
    }

    /// <summary>The piece as one vector; a part of the parameter itself where it is one.</summary>
    /// <param name="flat">Gives a parameter's vector by its number.</param>
    public Tensor EndToEnd(Func<int, Tensor> flat)
    {
        List<Tensor> parts = [];
        foreach (WeightSegment segment in Segments)
        {
            Tensor part = flat(segment.Parameter).narrow(0, segment.Start, segment.Length);
            parts.Add(part);
            if (segment.Padding > 0)
            {
                parts.Add(zeros(segment.Padding, dtype: part.dtype, device: part.device));
            }
        }
        return parts.Count == 1 ? parts[0] : cat(parts);
    }
}
