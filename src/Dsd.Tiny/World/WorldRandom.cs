namespace Dsd.Tiny.World;

/// <summary>A small random generator (SplitMix64) whose stream depends on its seed alone, on every platform and runtime version.</summary>
/// <remarks>Not thread-safe, and not for secrets.</remarks>
public sealed class WorldRandom
{
    private ulong _state;

    /// <summary>A generator that starts at the given seed.</summary>
    /// <param name="seed">Any value. Neighbouring seeds give unrelated streams.</param>
    public WorldRandom(ulong seed) => _state = Mix(seed ^ 0x6A09E667F3BCC908UL);

    /// <summary>The next 64 random bits.</summary>
    public ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15UL;
        return Mix(_state);
    }

    /// <summary>A whole number of at least 0 and below <paramref name="count"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public int Next(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)(((NextBits() >> 32) * (ulong)count) >> 32);
    }

    /// <summary>A number of at least 0 and below 1.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>One of the given items, each equally likely.</summary>
    public T Pick<T>(IReadOnlyList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items[Next(items.Count)];
    }

    /// <summary>A well mixed hash of 64 bits: the finishing step of SplitMix64.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
