using System.Collections.Concurrent;

namespace Dsd.Models.Native;

/// <summary>Kernels of one source on one GPU, launched in the order of torch's own work. They stay loaded as long as the process lives.</summary>
internal sealed class CudaModule
{
    private const int MajorAttribute = 75;
    private const int MinorAttribute = 76;
    private readonly IntPtr _context;
    private readonly IntPtr _module;
    private readonly ConcurrentDictionary<string, IntPtr> _functions = new();

    /// <summary>Compiles and loads a source.</summary>
    /// <param name="source">CUDA C++ that includes nothing.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="device">Number of the GPU.</param>
    /// <exception cref="InvalidOperationException">Driver or compiler refuse; the message says why.</exception>
    public CudaModule(string source, string name, int device)
    {
        CudaDriver.Check(CudaDriver.cuDeviceGet(out int handle, device), nameof(CudaDriver.cuDeviceGet));
        CudaDriver.Check(CudaDriver.cuDeviceGetAttribute(out int major, MajorAttribute, handle), nameof(CudaDriver.cuDeviceGetAttribute));
        CudaDriver.Check(CudaDriver.cuDeviceGetAttribute(out int minor, MinorAttribute, handle), nameof(CudaDriver.cuDeviceGetAttribute));
        // The context that torch uses too.
        CudaDriver.Check(CudaDriver.cuDevicePrimaryCtxRetain(out _context, handle), nameof(CudaDriver.cuDevicePrimaryCtxRetain));
        byte[] code = CudaDriver.Compile(source, name, major, minor);
        _module = Within(() =>
        {
            CudaDriver.Check(CudaDriver.cuModuleLoadData(out IntPtr module, code), nameof(CudaDriver.cuModuleLoadData));
            return module;
        });
    }

    /// <summary>Bytes of a GPU's memory that are taken, by whomever.</summary>
    public static long UsedMemory(int device)
    {
        CudaDriver.Check(CudaDriver.cuDeviceGet(out int handle, device), nameof(CudaDriver.cuDeviceGet));
        CudaDriver.Check(CudaDriver.cuDevicePrimaryCtxRetain(out IntPtr context, handle), nameof(CudaDriver.cuDevicePrimaryCtxRetain));
        CudaDriver.Check(CudaDriver.cuCtxPushCurrent(context), nameof(CudaDriver.cuCtxPushCurrent));
        int result = CudaDriver.cuMemGetInfo(out nuint free, out nuint total);
        CudaDriver.Check(CudaDriver.cuCtxPopCurrent(out _), nameof(CudaDriver.cuCtxPopCurrent));
        CudaDriver.Check(result, nameof(CudaDriver.cuMemGetInfo));
        return (long)(total - free);
    }

    /// <summary>Starts a kernel on torch's default stream and does not wait for it.</summary>
    /// <param name="kernel">Its name in the source.</param>
    /// <param name="grid">Blocks along x and y.</param>
    /// <param name="threads">Threads a block.</param>
    /// <param name="arguments">The kernel's parameters in order, each in eight bytes of its own: addresses, integers, or <see cref="BitConverter.SingleToInt32Bits"/> of a float.</param>
    public unsafe void Launch(string kernel, (long X, int Y) grid, int threads, params ReadOnlySpan<long> arguments)
    {
        IntPtr function = _functions.GetOrAdd(kernel, name => Within(() =>
        {
            CudaDriver.Check(CudaDriver.cuModuleGetFunction(out IntPtr found, _module, name), $"{nameof(CudaDriver.cuModuleGetFunction)}({name})");
            return found;
        }));
        fixed (long* values = arguments)
        {
            void** pointers = stackalloc void*[arguments.Length];
            for (int i = 0; i < arguments.Length; i++)
            {
                pointers[i] = values + i;
            }
            CudaDriver.Check(CudaDriver.cuCtxPushCurrent(_context), nameof(CudaDriver.cuCtxPushCurrent));
            int result = CudaDriver.cuLaunchKernel(function, checked((uint)grid.X), (uint)grid.Y, 1, (uint)threads, 1, 1, 0, IntPtr.Zero, pointers, null);
            CudaDriver.Check(CudaDriver.cuCtxPopCurrent(out _), nameof(CudaDriver.cuCtxPopCurrent));
            CudaDriver.Check(result, $"{nameof(CudaDriver.cuLaunchKernel)}({kernel})");
        }
    }

    private T Within<T>(Func<T> act)
    {
        CudaDriver.Check(CudaDriver.cuCtxPushCurrent(_context), nameof(CudaDriver.cuCtxPushCurrent));
        try
        {
            return act();
        }
        finally
        {
            _ = CudaDriver.cuCtxPopCurrent(out _);
        }
    }
}
