using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Dsd.Common.Processes;

namespace Dsd.Models.Native;

/// <summary>
/// Keeps oneDNN, which does libtorch's convolutions on the CPU, from code with which it computes wrong results where it cannot learn the caches'
/// sizes: see docs/decisions/onednn-without-caches.md.
/// </summary>
internal static class OneDnn
{
    private const string Limit = "ONEDNN_MAX_CPU_ISA";
    private const string OldLimit = "DNNL_MAX_CPU_ISA";

    // AMD's list of caches: the lowest five bits of each entry are its kind, and 0 ends the list.
    private const int CacheList = unchecked((int)0x8000001D);
    private const string Enough = "SSE41";

    /// <summary>
    /// Sets the limit for this process, unless the user has set one. oneDNN reads it at its first use and never again, so it must stand before that.
    /// </summary>
    public static void LimitWhereWrong()
    {
        if (X86Base.IsSupported && IsWrongOn(Vendor(), X86Base.CpuId(CacheList, 0).Eax)
            && Environment.GetEnvironmentVariable(OldLimit) is null)
        {
            NativeEnvironment.SetDefault(Limit, Enough);
        }
    }

    /// <summary>An AMD processor whose list of caches is empty, as some virtual machines show it.</summary>
    internal static bool IsWrongOn(string vendor, int firstCache) => vendor == "AuthenticAMD" && (firstCache & 0x1F) == 0;

    private static string Vendor()
    {
        (_, int b, int c, int d) = X86Base.CpuId(0, 0);
        Span<byte> name = stackalloc byte[12];
        MemoryMarshal.Write(name, b);
        MemoryMarshal.Write(name[4..], d);
        MemoryMarshal.Write(name[8..], c);
        return Encoding.ASCII.GetString(name);
    }
}
