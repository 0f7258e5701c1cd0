using Dsd.Models.Native;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>
/// Copies to a GPU while it computes, into places that take turns: each is written only when what was computed with it is done, and read only when it
/// is written.
/// </summary>
internal sealed class CopyStream : IDisposable
{
    private const uint NonBlocking = 1;
    private const uint WithoutTimes = 2;
    private readonly CudaContext _context;
    private readonly IntPtr _stream;
    private readonly IntPtr[] _written;
    private readonly IntPtr[] _used;

    /// <summary>A stream of copies.</summary>
    /// <param name="device">Number of the GPU.</param>
    /// <param name="places">How many places there are.</param>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public CopyStream(int device, int places)
    {
        _context = new CudaContext(device);
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuStreamCreate(out _stream, NonBlocking), nameof(CudaDriver.cuStreamCreate));
        _written = [.. Enumerable.Range(0, places).Select(_ => Event())];
        _used = [.. Enumerable.Range(0, places).Select(_ => Event())];

        static IntPtr Event()
        {
            CudaDriver.Check(CudaDriver.cuEventCreate(out IntPtr handle, WithoutTimes), nameof(CudaDriver.cuEventCreate));
            return handle;
        }
    }

    /// <summary>Starts to write to a place, once torch's work that was issued before <see cref="Used"/> is done, and does not wait for it.</summary>
    /// <param name="place">Its number.</param>
    /// <param name="copies">What goes where: tensors on the host and on the GPU, each in one piece.</param>
    public void Write(int place, IEnumerable<(Tensor From, Tensor To)> copies)
    {
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuStreamWaitEvent(_stream, _used[place], 0), nameof(CudaDriver.cuStreamWaitEvent));
        foreach ((Tensor from, Tensor to) in copies)
        {
            CudaDriver.Check(
                CudaDriver.cuMemcpyHtoDAsync(TensorMemory.Address(to), TensorMemory.Address(from), (nuint)(from.numel() * from.element_size()), _stream),
                nameof(CudaDriver.cuMemcpyHtoDAsync));
        }
        CudaDriver.Check(CudaDriver.cuEventRecord(_written[place], _stream), nameof(CudaDriver.cuEventRecord));
    }

    /// <summary>Makes torch's work from now on wait until a place is written.</summary>
    public void Await(int place)
    {
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuStreamWaitEvent(IntPtr.Zero, _written[place], 0), nameof(CudaDriver.cuStreamWaitEvent));
    }

    /// <summary>Says that torch's work issued so far is the last that reads a place.</summary>
    public void Used(int place)
    {
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuEventRecord(_used[place], IntPtr.Zero), nameof(CudaDriver.cuEventRecord));
    }

    /// <summary>Waits for what is being copied, and frees stream and events.</summary>
    public void Dispose()
    {
        using CudaContext.Entry current = _context.Enter();
        _ = CudaDriver.cuStreamSynchronize(_stream);
        foreach (IntPtr handle in _written.Concat(_used))
        {
            _ = CudaDriver.cuEventDestroy(handle);
        }
        _ = CudaDriver.cuStreamDestroy(_stream);
    }
}
