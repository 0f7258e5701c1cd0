using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Native;

/// <summary>Keeps tensors of the host in place for a GPU to read them while it computes. They must not be freed before this is.</summary>
internal sealed class PinnedMemory : IDisposable
{
    private const long Page = 4096;
    private readonly List<long> _starts = [];
    private readonly CudaContext _context;

    /// <summary>Pins the memory of tensors, page by page; tensors may share pages.</summary>
    /// <param name="device">Number of a GPU.</param>
    /// <param name="tensors">Tensors on the host, each in one piece.</param>
    /// <exception cref="InvalidOperationException">The driver refuses; nothing is pinned then.</exception>
    public PinnedMemory(int device, IEnumerable<Tensor> tensors)
    {
        _context = new CudaContext(device);
        using CudaContext.Entry current = _context.Enter();
        try
        {
            foreach ((long start, long end) in Pages(tensors.Select(t => (TensorMemory.Address(t), t.numel() * t.element_size()))))
            {
                CudaDriver.Check(CudaDriver.cuMemHostRegister(start, (nuint)(end - start), 0), nameof(CudaDriver.cuMemHostRegister));
                _starts.Add(start);
            }
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>Whole pages that cover pieces of memory (address, bytes), in order, none of them twice.</summary>
    internal static IEnumerable<(long Start, long End)> Pages(IEnumerable<(long Address, long Bytes)> pieces)
    {
        (long Start, long End)? open = null;
        foreach ((long address, long bytes) in pieces.Where(p => p.Bytes > 0).Order())
        {
            (long start, long end) = (address / Page * Page, (address + bytes + Page - 1) / Page * Page);
            if (open is { } range && start <= range.End)
            {
                open = (range.Start, Math.Max(range.End, end));
                continue;
            }
            if (open is { } whole)
            {
                yield return whole;
            }
            open = (start, end);
        }
        if (open is { } last)
        {
            yield return last;
        }
    }

    /// <summary>Lets go of the memory, which itself stays.</summary>
    public void Dispose()
    {
        using CudaContext.Entry current = _context.Enter();
        Release();
    }

    private void Release()
    {
        _starts.ForEach(start => _ = CudaDriver.cuMemHostUnregister(start));
        _starts.Clear();
    }
}
