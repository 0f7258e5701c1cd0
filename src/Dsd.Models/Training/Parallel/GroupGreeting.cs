using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dsd.Models.Training.Parallel;

/// <summary>The first bytes of a connection: who comes, and what for. All numbers little-endian.</summary>
/// <param name="Version">Of the protocol.</param>
/// <param name="ForWatch">Whether it is the connection for signs of life, not the one for tensors.</param>
/// <param name="Rank">Who comes.</param>
/// <param name="WorldSize">How many it takes the group to have.</param>
/// <param name="Job">Hash of the run's text.</param>
internal sealed record GroupGreeting(int Version, bool ForWatch, int Rank, int WorldSize, byte[] Job)
{
    /// <summary>The protocol's version: a number more with each change of what is sent.</summary>
    public const int CurrentVersion = 1;

    /// <summary>How long a greeting is.</summary>
    public const int Length = 8 + (4 * sizeof(int)) + SHA256.HashSizeInBytes;

    /// <summary>What greetings and answers begin with.</summary>
    public static ReadOnlySpan<byte> Magic => "DSDGROUP"u8;

    /// <summary>The greeting of a process.</summary>
    public static GroupGreeting Of(TrainingGroupOptions options, bool forWatch) =>
        new(CurrentVersion, forWatch, options.Rank, options.WorldSize, SHA256.HashData(Encoding.UTF8.GetBytes(options.Job)));

    /// <summary>The greeting in so many bytes; null where they are something else.</summary>
    public static GroupGreeting? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length || !bytes.StartsWith(Magic))
        {
            return null;
        }
        bytes = bytes[Magic.Length..];
        int kind = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        return kind is not (0 or 1) ? null : new GroupGreeting(
            BinaryPrimitives.ReadInt32LittleEndian(bytes), kind == 1, BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]), bytes[16..].ToArray());
    }

    /// <summary>The bytes to send.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Length];
        Magic.CopyTo(bytes);
        Span<byte> rest = bytes.AsSpan(Magic.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest, Version);
        BinaryPrimitives.WriteInt32LittleEndian(rest[4..], ForWatch ? 1 : 0);
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], Rank);
        BinaryPrimitives.WriteInt32LittleEndian(rest[12..], WorldSize);
        Job.CopyTo(rest[16..]);
        return bytes;
    }
}
