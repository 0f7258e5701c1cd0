using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Dsd.Tools.Benchmark;

/// <summary>What a device calls itself, so that a figure says where it was measured.</summary>
internal static class DeviceName
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A processor's or GPU's own name, with the driver's version for a GPU; the architecture, or nothing, where it does not tell.</summary>
    /// <param name="gpu">The GPU's number; null is the processor.</param>
    public static string? Of(int? gpu) => gpu is { } number ? Gpu(number) : Processor();

    private static string Processor()
    {
        const string Field = "model name";
        string? line = OperatingSystem.IsLinux() ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal)) : null;
        string name = line is null ? $"{RuntimeInformation.ProcessArchitecture}" : line[(line.IndexOf(':') + 1)..].Trim();
        return string.Create(CultureInfo.InvariantCulture, $"{Printable.Line(name, 100)}, {Environment.ProcessorCount} threads");
    }

    private static string? Gpu(int number)
    {
        ProcessStartInfo start = new("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader", "-i", $"{number}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            _ = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                return null;
            }
            return process.ExitCode == 0 ? Printable.Line(output.GetAwaiter().GetResult().Trim(), 100) : null;
        }
        catch (Win32Exception)
        {
            // The driver's tools are not installed.
            return null;
        }
    }
}
