using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dsd.Runs;

/// <summary>A share of a run's captions, which follows from their keys alone: every caption belongs to exactly one shard of a count, whoever asks.</summary>
/// <param name="Index">Which, from 1.</param>
/// <param name="Count">Of how many, 1 to 100,000.</param>
public sealed record Shard(int Index, int Count)
{
    /// <summary>Everything.</summary>
    public static Shard Whole { get; } = new(1, 1);

    /// <summary>Of how many.</summary>
    public int Count { get; init; } = Count is >= 1 and <= 100_000
        ? Count
        : throw new ArgumentOutOfRangeException(nameof(Count), Count, $"A run has 1 to 100000 shards, but {Count} were asked for.");

    /// <summary>Which, from 1.</summary>
    public int Index { get; init; } = Index >= 1 && Index <= Count
        ? Index
        : throw new ArgumentOutOfRangeException(nameof(Index), Index, $"Shard {Index} of {Count}: expected 1 to {Count}.");

    /// <summary>Reads <c>2/8</c>.</summary>
    /// <exception cref="FormatException">It is no share.</exception>
    public static Shard Parse(string text)
    {
        string[] parts = (text ?? "").Split('/');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count is >= 1 and <= 100_000 && index >= 1 && index <= count
            ? new Shard(index, count)
            : throw new FormatException($"Shard '{text}': expected i/n with i from 1 to n, such as 2/8.");
    }

    /// <summary>Whether a caption belongs to this shard.</summary>
    public bool Holds(string captionKey) =>
        Count == 1 || BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(captionKey))) % (ulong)Count == (ulong)(Index - 1);

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");
}
