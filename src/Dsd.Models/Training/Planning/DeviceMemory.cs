using System.Diagnostics;
using System.Globalization;
using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Planning;

/// <summary>What a device's memory holds, to be compared with a plan.</summary>
public static class DeviceMemory
{
    /// <summary>
    /// Bytes in use: of a GPU's memory, by all that runs there, which torch's allocator gives back late, so that it is near the most so far; on the CPU the
    /// most that this process had.
    /// </summary>
    /// <param name="device">The device; null is the CPU.</param>
    public static long Used(Device? device)
    {
        if (device is { type: DeviceType.CUDA })
        {
            return OfGpu(Math.Max(0, device.index));
        }
        using Process own = Process.GetCurrentProcess();
        return own.PeakWorkingSet64;
    }

    /// <summary>Bytes of a GPU's memory that are in use by all that runs there, as its driver tells; libtorch need not know of the GPU.</summary>
    /// <param name="gpu">The GPU's number.</param>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public static long OfGpu(int gpu) => CudaModule.UsedMemory(gpu);

    /// <summary>Bytes that are free: of a GPU's memory, or of the host's, as far as this process may take them.</summary>
    /// <param name="device">The device; null is the CPU.</param>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public static long Free(Device? device)
    {
        if (device is { type: DeviceType.CUDA })
        {
            return CudaModule.FreeMemory(Math.Max(0, device.index));
        }
        const string Available = "MemAvailable:";
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        string? line = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith(Available, StringComparison.Ordinal))
            : null;
        string number = line?[Available.Length..].Replace("kB", "", StringComparison.Ordinal) ?? "";
        return long.TryParse(number, CultureInfo.InvariantCulture, out long kibibytes)
            ? Math.Min(limit, kibibytes * 1024)
            : limit;
    }

    /// <summary>Bytes in the unit of plans, as text: <c>21.3 GiB</c>.</summary>
    public static string Gib(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB");
}
