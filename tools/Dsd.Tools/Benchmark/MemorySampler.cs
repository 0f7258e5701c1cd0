using System.Diagnostics;
using System.Globalization;
using Dsd.Models.Training.Planning;

namespace Dsd.Tools.Benchmark;

/// <summary>
/// The most memory that was held at a time since it was made, looked up every ten milliseconds by a thread of its own: the process's own, and a GPU's.
/// </summary>
internal sealed class MemorySampler : IDisposable
{
    private const int PauseMs = 10;

    private readonly int? _gpu;
    private readonly ManualResetEventSlim _done = new();
    private readonly Thread _thread;
    private long _host;
    private long _onGpu;

    /// <summary>Begins.</summary>
    /// <param name="gpu">A GPU's number; null where there is none to look at.</param>
    public MemorySampler(int? gpu)
    {
        _gpu = gpu;
        Look();
        _thread = new Thread(() =>
        {
            while (!_done.Wait(PauseMs))
            {
                Look();
            }
        })
        { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Bytes of the process that belong to no file: weights that are mapped and not copied are not among them.</summary>
    public long HostBytes => Volatile.Read(ref _host);

    /// <summary>Bytes in use on the GPU, by all that runs there; null where none is looked at.</summary>
    public long? GpuBytes => _gpu is null ? null : Volatile.Read(ref _onGpu);

    public void Dispose()
    {
        _done.Set();
        _thread.Join();
        _done.Dispose();
    }

    private void Look()
    {
        Volatile.Write(ref _host, Math.Max(_host, Own()));
        if (_gpu is { } gpu)
        {
            Volatile.Write(ref _onGpu, Math.Max(_onGpu, DeviceMemory.OfGpu(gpu)));
        }
    }

    private static long Own()
    {
        const string Field = "RssAnon:";
        if (OperatingSystem.IsLinux() && File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal)) is { } line)
        {
            return 1024 * long.Parse(line[Field.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
        }
        using Process own = Process.GetCurrentProcess();
        return own.PrivateMemorySize64;
    }
}
