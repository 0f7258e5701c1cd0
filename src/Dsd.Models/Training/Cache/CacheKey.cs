using System.Runtime.InteropServices;

namespace Dsd.Models.Training.Cache;

/// <summary>The name of an entry: a SHA-256 of all that its content depends on. 32 bytes, so that millions fit into memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CacheKey(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>The key of a hash's 32 bytes.</summary>
    public static CacheKey Of(ReadOnlySpan<byte> hash) => MemoryMarshal.Read<CacheKey>(hash);

    /// <summary>The bytes in small hexadecimal digits.</summary>
    public override string ToString()
    {
        CacheKey key = this;
        return Convert.ToHexStringLower(MemoryMarshal.AsBytes(new ReadOnlySpan<CacheKey>(in key)));
    }
}
