using System.Runtime.InteropServices;
using Dsd.Imaging;

namespace Dsd.MLNet.Stages.Running;

/// <summary>The seed of one row: from the option's seed and what the row holds, never from where the row stands or what was computed with it.</summary>
internal struct RowSeed
{
    // FNV-1a over 16-bit units: string.GetHashCode differs from run to run.
    private const ulong Prime = 1099511628211;
    private ulong _hash;

    public RowSeed(long seed) => _hash = 14695981039346656037 ^ ((ulong)seed * 0x9E3779B97F4A7C15);

    public RowSeed With(string text)
    {
        foreach (char c in text)
        {
            _hash = (_hash ^ c) * Prime;
        }
        // The end counts too, or 'ab' + 'c' would be 'a' + 'bc'.
        _hash = (_hash ^ 0x10000) * Prime;
        return this;
    }

    public RowSeed With(long number)
    {
        _hash = (_hash ^ (ulong)number) * Prime;
        _hash ^= _hash >> 32;
        return this;
    }

    public RowSeed With(Picture picture)
    {
        With(picture.Width);
        With(picture.Height);
        ReadOnlySpan<byte> pixels = picture.Pixels;
        foreach (ushort unit in MemoryMarshal.Cast<byte, ushort>(pixels))
        {
            _hash = (_hash ^ unit) * Prime;
        }
        return With(pixels[^1]);
    }

    /// <summary>The seed as 31 bits, so that it can be shown and typed: noise takes 32 at most.</summary>
    public readonly long Value
    {
        get
        {
            // The finaliser of SplitMix64, so that near texts do not give near seeds.
            ulong z = (_hash ^ (_hash >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return (long)((z ^ (z >> 31)) >> 33);
        }
    }
}
