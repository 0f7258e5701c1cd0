using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>Maps characters by the table inside a SentencePiece model.</summary>
/// <remarks>The table is a double-array trie over UTF-8, whose values point into a list of replacements that end in a zero byte.</remarks>
internal sealed class T5Normalizer
{
    private const int MaxWholeBytes = 6;
    private readonly uint[] _trie;
    private readonly byte[] _replacements;

    public T5Normalizer(string file, ReadOnlySpan<byte> map)
    {
        if (map.IsEmpty)
        {
            (_trie, _replacements) = ([], []);
            return;
        }
        uint size = map.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(map) : 0;
        if (size == 0 || size % sizeof(uint) != 0 || size > map.Length - sizeof(uint))
        {
            throw new WeightsException(file, $"a table of characters within its {map.Length} bytes", $"a trie of {size} bytes");
        }
        _trie = new uint[size / sizeof(uint)];
        for (int i = 0; i < _trie.Length; i++)
        {
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(sizeof(uint) * (i + 1))..]);
        }
        _replacements = map[(sizeof(uint) + (int)size)..].ToArray();
    }

    /// <summary>Replaces what the table knows: a short cluster of characters as a whole, else code point by code point.</summary>
    public string Normalize(string text)
    {
        StringBuilder normalized = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int length = StringInfo.GetNextTextElementLength(text, i);
            ReadOnlySpan<char> cluster = text.AsSpan(i, length);
            if (Encoding.UTF8.GetByteCount(cluster) < MaxWholeBytes && Replacement(cluster) is { } whole)
            {
                normalized.Append(whole);
            }
            else
            {
                foreach (Rune rune in cluster.EnumerateRunes())
                {
                    string single = rune.ToString();
                    normalized.Append(Replacement(single) ?? single);
                }
            }
            i += length;
        }
        return normalized.ToString();
    }

    /// <summary>What the table puts for the shortest beginning that it knows of these characters; null where it knows none.</summary>
    private string? Replacement(ReadOnlySpan<char> characters)
    {
        if (_trie.Length == 0)
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[3 * characters.Length];
        bytes = bytes[..Encoding.UTF8.GetBytes(characters, bytes)];
        uint node = Offset(_trie[0]);
        foreach (byte b in bytes)
        {
            node ^= b;
            if (b == 0 || node >= _trie.Length || (_trie[node] & 0x800000ff) != b)
            {
                return null;
            }
            uint unit = _trie[node];
            node ^= Offset(unit);
            bool isKey = (unit & 0x100) != 0;
            if (isKey)
            {
                uint start = node < _trie.Length ? _trie[node] & 0x7fffffff : uint.MaxValue;
                return start < _replacements.Length ? Text(_replacements.AsSpan((int)start)) : null;
            }
        }
        return null;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private static string Text(ReadOnlySpan<byte> start)
    {
        int end = start.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? start : start[..end]);
    }
}
