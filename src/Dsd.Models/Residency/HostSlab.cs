using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>
/// Memory of the host that holds many tensors and nothing else, so that it can be pinned: a GPU then reads it while it computes. A GPU refuses tensors
/// that are pinned in part, so these share no page with others.
/// </summary>
internal sealed class HostSlab : IDisposable
{
    private const long Page = 4096;
    private const long Alignment = 64;
    private readonly List<(Tensor Memory, long Start, long Bytes)> _slabs = [];
    private readonly List<long> _pinned = [];
    private CudaContext? _context;

    /// <summary>Moves tensors into memory of their own. Those that lay end to end do so again.</summary>
    /// <param name="tensors">Tensors on the host, each in one piece.</param>
    /// <param name="keeps">Whether their contents are kept; otherwise they are lost.</param>
    public HostSlab(IEnumerable<Tensor> tensors, bool keeps = false)
    {
        using IDisposable noGrad = no_grad();
        foreach (IGrouping<ScalarType, Tensor> ofType in tensors.GroupBy(t => t.dtype))
        {
            Tensor[] inOrder = [.. ofType.OrderBy(TensorMemory.Address)];
            long size = inOrder[0].element_size();
            long[] starts = Starts([.. inOrder.Select(t => (TensorMemory.Address(t), t.numel() * size))], out long bytes);
            // A page at either end belongs to nobody else.
            Tensor memory = empty([(bytes + 2 * Page) / size], ofType.Key, CPU).DetachFromDisposeScope();
            long first = Up(TensorMemory.Address(memory), Page);
            _slabs.Add((memory, first, Up(bytes, Page)));
            for (int i = 0; i < inOrder.Length; i++)
            {
                using Tensor place = memory.narrow(0, (first - TensorMemory.Address(memory) + starts[i]) / size, inOrder[i].numel());
                using Tensor shaped = place.view(inOrder[i].shape);
                if (keeps)
                {
                    shaped.copy_(inOrder[i]);
                }
                inOrder[i].set_(shaped);
            }
        }
    }

    /// <summary>Bytes of all tensors, with what lies between them.</summary>
    public long Bytes => _slabs.Sum(s => s.Bytes);

    /// <summary>Where to put tensors (address, bytes), given in order of their addresses: side by side where they lay so, else aligned.</summary>
    internal static long[] Starts(IReadOnlyList<(long Address, long Bytes)> tensors, out long bytes)
    {
        long[] starts = new long[tensors.Count];
        bytes = 0;
        for (int i = 0; i < starts.Length; i++)
        {
            bool follows = i > 0 && tensors[i - 1].Address + tensors[i - 1].Bytes == tensors[i].Address;
            starts[i] = follows ? bytes : Up(bytes, Alignment);
            bytes = starts[i] + tensors[i].Bytes;
        }
        return starts;
    }

    /// <summary>Pins the memory for a GPU; for the CPU there is nothing to do.</summary>
    /// <param name="device">The device that will read it.</param>
    /// <exception cref="InvalidOperationException">The driver refuses: there is too little memory, or the system allows less.</exception>
    public void Pin(Device device)
    {
        if (device.type != DeviceType.CUDA)
        {
            return;
        }
        _context = new CudaContext(Math.Max(0, device.index));
        using CudaContext.Entry current = _context.Enter();
        foreach ((_, long start, long bytes) in _slabs.Where(s => s.Bytes > 0))
        {
            int result = CudaDriver.cuMemHostRegister(start, (nuint)bytes, 0);
            if (result != 0)
            {
                throw new InvalidOperationException(
                    $"CUDA: {bytes / 1e9:F1} GB of the host's memory cannot be kept in place for the GPU (error {result}). "
                        + "Is there so much, and does the system allow it (ulimit -l)?");
            }
            _pinned.Add(start);
        }
    }

    /// <summary>Unpins the memory. It is freed when the last tensor in it is.</summary>
    public void Dispose()
    {
        if (_context is not null)
        {
            using CudaContext.Entry current = _context.Enter();
            _pinned.ForEach(start => _ = CudaDriver.cuMemHostUnregister(start));
            _pinned.Clear();
        }
        _slabs.ForEach(s => s.Memory.Dispose());
        _slabs.Clear();
    }

    private static long Up(long value, long step) => (value + step - 1) / step * step;
}
