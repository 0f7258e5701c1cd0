using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Dsd.Models.Training.Cache;

/// <summary>The examples of a run, in the order in which they came. It grows by pieces, since a list that doubles holds thrice as much for a while.</summary>
internal sealed class ExampleTable
{
    private const int PieceLength = 4096;
    private readonly List<ExampleKeys[]> _pieces = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>One of them, from 0.</summary>
    public ExampleKeys this[int index] => _pieces[index / PieceLength][index % PieceLength];

    /// <summary>Adds one at the end.</summary>
    public void Add(ExampleKeys example)
    {
        if (Count == _pieces.Count * PieceLength)
        {
            _pieces.Add(new ExampleKeys[PieceLength]);
        }
        _pieces[^1][Count++ % PieceLength] = example;
    }

    /// <summary>A hash of all of them and their order, in hexadecimal digits: of pictures, prompts, sizes and encoders.</summary>
    public string Hash()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < Count; i++)
        {
            ExampleKeys keys = this[i];
            hash.AppendData(MemoryMarshal.AsBytes<CacheKey>([keys.Latents, keys.Condition, keys.Prompt]));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
