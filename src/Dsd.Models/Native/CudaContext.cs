namespace Dsd.Models.Native;

/// <summary>The context of one GPU that torch uses too, and what its driver says of it. It lives as long as the process.</summary>
internal sealed class CudaContext
{
    private const int MajorAttribute = 75;
    private const int MinorAttribute = 76;
    private readonly IntPtr _context;

    /// <summary>The context of a GPU.</summary>
    /// <param name="device">Its number.</param>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public CudaContext(int device)
    {
        // libtorch has done it where it uses the GPU; a process may use it through ONNX Runtime alone.
        CudaDriver.Check(CudaDriver.cuInit(0), nameof(CudaDriver.cuInit));
        CudaDriver.Check(CudaDriver.cuDeviceGet(out int handle, device), nameof(CudaDriver.cuDeviceGet));
        CudaDriver.Check(CudaDriver.cuDeviceGetAttribute(out int major, MajorAttribute, handle), nameof(CudaDriver.cuDeviceGetAttribute));
        CudaDriver.Check(CudaDriver.cuDeviceGetAttribute(out int minor, MinorAttribute, handle), nameof(CudaDriver.cuDeviceGetAttribute));
        CudaDriver.Check(CudaDriver.cuDevicePrimaryCtxRetain(out _context, handle), nameof(CudaDriver.cuDevicePrimaryCtxRetain));
        Capability = (major, minor);
    }

    /// <summary>The compute capability: (9, 0) for Hopper.</summary>
    public (int Major, int Minor) Capability { get; }

    /// <summary>Makes it the thread's current context until the result is disposed.</summary>
    public Entry Enter()
    {
        CudaDriver.Check(CudaDriver.cuCtxPushCurrent(_context), nameof(CudaDriver.cuCtxPushCurrent));
        return default;
    }

    /// <summary>Leaves the context when disposed.</summary>
    public readonly struct Entry : IDisposable
    {
        /// <summary>Makes the context from before current again.</summary>
        public void Dispose() => _ = CudaDriver.cuCtxPopCurrent(out _);
    }
}
