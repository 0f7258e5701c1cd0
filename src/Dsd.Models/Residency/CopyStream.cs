using Dsd.Models.Native;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>
/// Copies to a GPU while it computes, into slots that are used in turn. A slot is written only after the work that reads it is done, and read only
/// after it is written.
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
    /// <param name="slots">How many slots there are.</param>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public CopyStream(int device, int slots)
    {
        _context = new CudaContext(device);
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuStreamCreate(out _stream, NonBlocking), nameof(CudaDriver.cuStreamCreate));
        _written = [.. Enumerable.Range(0, slots).Select(_ => Event())];
        _used = [.. Enumerable.Range(0, slots).Select(_ => Event())];

        static IntPtr Event()
        {
            CudaDriver.Check(CudaDriver.cuEventCreate(out IntPtr handle, WithoutTimes), nameof(CudaDriver.cuEventCreate));
            return handle;
        }
    }

    /// <summary>Starts to write to a slot, once the work that <see cref="Used"/> marked is done. Does not wait for the copies.</summary>
    /// <param name="slot">Its number.</param>
    /// <param name="copies">Tensors on the host and the tensors on the GPU that take them, each contiguous.</param>
    public void Write(int slot, IEnumerable<(Tensor From, Tensor To)> copies)
    {
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuStreamWaitEvent(_stream, _used[slot], 0), nameof(CudaDriver.cuStreamWaitEvent));
        foreach ((Tensor from, Tensor to) in copies)
        {
            CudaDriver.Check(
                CudaDriver.cuMemcpyHtoDAsync(TensorMemory.Address(to), TensorMemory.Address(from), (nuint)(from.numel() * from.element_size()), _stream),
                nameof(CudaDriver.cuMemcpyHtoDAsync));
        }
        CudaDriver.Check(CudaDriver.cuEventRecord(_written[slot], _stream), nameof(CudaDriver.cuEventRecord));
    }

    /// <summary>Makes all later work of torch wait until a slot is written.</summary>
    public void Await(int slot)
    {
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuStreamWaitEvent(IntPtr.Zero, _written[slot], 0), nameof(CudaDriver.cuStreamWaitEvent));
    }

    /// <summary>Marks torch's work so far as the last that reads a slot.</summary>
    public void Used(int slot)
    {
        using CudaContext.Entry current = _context.Enter();
        CudaDriver.Check(CudaDriver.cuEventRecord(_used[slot], IntPtr.Zero), nameof(CudaDriver.cuEventRecord));
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
