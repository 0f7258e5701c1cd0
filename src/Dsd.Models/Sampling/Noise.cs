namespace Dsd.Models.Sampling;

/// <summary>
/// Normal noise from a seed, the same numbers as PyTorch's CPU generator gives for <c>torch.randn</c> (up to the last digit of its
/// vectorised logarithm), computed without libtorch: every backend starts from the same noise.
/// </summary>
/// <remarks>Follows ATen's <c>normal_fill</c> (Box–Muller over blocks of 16) on the 32-bit Mersenne Twister.</remarks>
public static class Noise
{
    /// <summary>Standard normal numbers for a seed.</summary>
    /// <param name="seed">Any number; PyTorch's generator uses its lower 32 bits.</param>
    /// <param name="count">How many, at least 16 (below that PyTorch draws in another way).</param>
    /// <returns>A prefix of a longer draw differs from the shorter draw: draw the whole tensor at once.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 16.</exception>
    public static float[] Normal(long seed, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, Block);
        MersenneTwister random = new((uint)(ulong)seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.NextUniform();
        }
        for (int i = 0; i + Block <= count; i += Block)
        {
            BoxMuller(values.AsSpan(i, Block));
        }
        if (count % Block != 0)
        {
            // PyTorch fills the ragged end by drawing its last whole block anew.
            Span<float> last = values.AsSpan(count - Block);
            for (int i = 0; i < Block; i++)
            {
                last[i] = random.NextUniform();
            }
            BoxMuller(last);
        }
        return values;
    }

    /// <summary>Standard normal numbers for a condition that is sampled, set apart from <see cref="Normal"/>'s for the latents of the same seed.</summary>
    public static float[] ForCondition(long seed, int count) => Normal(seed ^ ConditionSeed, count);

    private const int Block = 16;
    private const long ConditionSeed = 0x9E3779B9;

    private static void BoxMuller(Span<float> block)
    {
        for (int i = 0; i < Block / 2; i++)
        {
            float radius = MathF.Sqrt(-2f * MathF.Log(1f - block[i]));
            float angle = 2f * MathF.PI * block[i + Block / 2];
            block[i] = radius * MathF.Cos(angle);
            block[i + Block / 2] = radius * MathF.Sin(angle);
        }
    }

    /// <summary>MT19937, the generator behind PyTorch's CPU random numbers.</summary>
    private sealed class MersenneTwister
    {
        private const int Length = 624;
        private const int Middle = 397;
        private readonly uint[] _state = new uint[Length];
        private int _next = Length;

        public MersenneTwister(uint seed)
        {
            _state[0] = seed;
            for (uint i = 1; i < Length; i++)
            {
                _state[i] = 1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30)) + i;
            }
        }

        /// <summary>24 random bits as a number in [0, 1).</summary>
        public float NextUniform() => (Next() & 0xffffff) * (1f / 0x1000000);

        private uint Next()
        {
            if (_next == Length)
            {
                for (int i = 0; i < Length; i++)
                {
                    uint y = (_state[i] & 0x80000000) | (_state[(i + 1) % Length] & 0x7fffffff);
                    _state[i] = _state[(i + Middle) % Length] ^ (y >> 1) ^ ((y & 1) * 0x9908b0df);
                }
                _next = 0;
            }
            uint x = _state[_next++];
            x ^= x >> 11;
            x ^= (x << 7) & 0x9d2c5680;
            x ^= (x << 15) & 0xefc60000;
            return x ^ (x >> 18);
        }
    }
}
