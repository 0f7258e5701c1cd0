using System.Security.Cryptography;
using Dsd.Common.Files;

namespace Dsd.Common.Tests.Files;

public class HashingStreamTests
{
    [Fact]
    public void WhatIsWritten_IsPassedOnAndHashed_AndTheTargetStaysOpen()
    {
        byte[] bytes = new byte[(5 << 20) + 7];
        new Random(1).NextBytes(bytes);
        using MemoryStream target = new();

        using (HashingStream hashing = new(target))
        {
            hashing.Write(bytes);
            Assert.Equal(SHA256.HashData(bytes), hashing.TakeHash());
            Assert.Equal(bytes, target.ToArray());

            // A new hash begins there.
            hashing.Write([1, 2, 3]);
            Assert.Equal(SHA256.HashData([1, 2, 3]), hashing.TakeHash());
            Assert.Equal(bytes.Length + 3, hashing.Length);
        }

        target.WriteByte(4);
        Assert.Equal([.. bytes, 1, 2, 3, 4], target.ToArray());
    }

    [Fact]
    public void AFullDisk_ComesThrough()
    {
        using HashingStream hashing = new(new MemoryStream(new byte[1 << 20], writable: true));

        Assert.Throws<NotSupportedException>(() => hashing.Write(new byte[3 << 20]));
    }

    [Fact]
    public void AfterItsEnd_NothingIsWritten()
    {
        HashingStream hashing = new(new MemoryStream());
        hashing.Dispose();

        Assert.Throws<ObjectDisposedException>(() => hashing.Write([1]));
        Assert.Throws<ObjectDisposedException>(() => hashing.TakeHash());
    }
}
