using System.Buffers;
using System.Security.Cryptography;

namespace Dsd.Common.Files;

/// <summary>How long a file is, and what its bytes come to: two files that agree in both are the same.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">The SHA-256 of all bytes: 64 hexadecimal digits in lower case.</param>
public readonly record struct FileHash(long Length, string Sha256)
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Reads a file from its beginning to its end, a block at a time.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Checked between blocks.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public static FileHash Of(string path, CancellationToken cancellationToken = default)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            long length = 0;
            while (file.Read(block) is > 0 and int read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(block, 0, read);
                length += read;
            }
            return new FileHash(length, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>Whether a text is a SHA-256 as <see cref="Sha256"/> has it.</summary>
    public static bool IsSha256(string? text) => text is { Length: 2 * SHA256.HashSizeInBytes } && text.All(char.IsAsciiHexDigitLower);
}
