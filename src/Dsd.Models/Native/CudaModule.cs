using System.Collections.Concurrent;

namespace Dsd.Models.Native;

/// <summary>Kernels of one source on one GPU, launched in the order of torch's own work. They stay loaded as long as the process lives.</summary>
internal sealed class CudaModule
{
    private readonly CudaContext _context;
    private readonly IntPtr _module;
    private readonly ConcurrentDictionary<string, IntPtr> _functions = new();

    /// <summary>Compiles and loads a source.</summary>
    /// <param name="source">CUDA C++ that includes nothing.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="device">Number of the GPU.</param>
    /// <exception cref="InvalidOperationException">Driver or compiler refuse; the message says why.</exception>
    public CudaModule(string source, string name, int device)
    {
        _context = new CudaContext(device);
        byte[] code = CudaDriver.Compile(source, name, _context.Capability.Major, _context.Capability.Minor);
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuModuleLoadData(out _module, code), nameof(CudaDriver.cuModuleLoadData));
    }

    /// <summary>The GPU's compute capability: (9, 0) for Hopper.</summary>
    public (int Major, int Minor) Capability => _context.Capability;

    /// <summary>A GPU's compute capability, without a module on it.</summary>
    public static (int Major, int Minor) CapabilityOf(int device) => new CudaContext(device).Capability;

    /// <summary>Bytes of a GPU's memory that are taken, by whomever.</summary>
    public static long UsedMemory(int device)
    {
        using CudaContext.Entry current = new CudaContext(device).Enter();
        CudaDriver.Check(CudaDriver.cuMemGetInfo(out nuint free, out nuint total), nameof(CudaDriver.cuMemGetInfo));
        return (long)(total - free);
    }

    /// <summary>Bytes of a GPU's memory that are free.</summary>
    public static long FreeMemory(int device)
    {
        using CudaContext.Entry current = new CudaContext(device).Enter();
        CudaDriver.Check(CudaDriver.cuMemGetInfo(out nuint free, out _), nameof(CudaDriver.cuMemGetInfo));
        return (long)free;
    }

    /// <summary>Starts a kernel on torch's default stream and does not wait for it.</summary>
    /// <param name="kernel">Its name in the source.</param>
    /// <param name="grid">Blocks along x and y.</param>
    /// <param name="threads">Threads a block.</param>
    /// <param name="arguments">
    /// The kernel's parameters in order, each in eight bytes of its own: addresses, integers, or <see cref="BitConverter.SingleToInt32Bits"/> of a
    /// float.
    /// </param>
    public unsafe void Launch(string kernel, (long X, int Y) grid, int threads, params ReadOnlySpan<long> arguments)
    {
        using CudaContext.Entry current = _context.Enter();
        IntPtr function = _functions.GetOrAdd(kernel, name =>
        {
            CudaDriver.Check(CudaDriver.cuModuleGetFunction(out IntPtr found, _module, name), $"{nameof(CudaDriver.cuModuleGetFunction)}({name})");
            return found;
        });
        fixed (long* values = arguments)
        {
            void** pointers = stackalloc void*[arguments.Length];
            for (int i = 0; i < arguments.Length; i++)
            {
                pointers[i] = values + i;
            }
            int result = CudaDriver.cuLaunchKernel(function, checked((uint)grid.X), (uint)grid.Y, 1, (uint)threads, 1, 1, 0, IntPtr.Zero, pointers, null);
            CudaDriver.Check(result, $"{nameof(CudaDriver.cuLaunchKernel)}({kernel})");
        }
    }
}
