using System.Collections.Concurrent;
using Dsd.Models.Native;

namespace Dsd.Models.Acceleration;

/// <summary>A file of CUDA kernels within this assembly, compiled for each GPU when it is first used there.</summary>
/// <param name="name">The file's name.</param>
internal sealed class KernelFile(string name)
{
    private readonly ConcurrentDictionary<int, CudaModule?> _modules = new();
    private readonly Lock _gate = new();

    /// <summary>Why there are no kernels; null while there are, or none was asked for.</summary>
    public string? Unavailable { get; private set; }

    /// <summary>The kernels on a GPU; null where they cannot be compiled.</summary>
    /// <param name="device">The GPU's number; below 0 is the first.</param>
    public CudaModule? On(int device)
    {
        device = Math.Max(0, device);
        if (_modules.TryGetValue(device, out CudaModule? module))
        {
            return module;
        }
        // Compiling takes a second: nobody does it twice.
        lock (_gate)
        {
            return _modules.GetOrAdd(device, Load);
        }
    }

    private CudaModule? Load(int device)
    {
        try
        {
            Unavailable = CudaDriver.Missing();
            return Unavailable is null ? new CudaModule(Text(), name, device) : null;
        }
        catch (Exception e) when (e is InvalidOperationException or DllNotFoundException or EntryPointNotFoundException)
        {
            Unavailable = e.Message;
            return null;
        }
    }

    private string Text()
    {
        using Stream stream = typeof(KernelFile).Assembly.GetManifestResourceStream($"Dsd.Models.Acceleration.{name}")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
