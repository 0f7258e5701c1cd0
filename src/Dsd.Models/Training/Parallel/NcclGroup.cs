using System.Diagnostics;
using Dsd.Common.Processes;
using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Parallel;

/// <summary>
/// A group of GPUs, one a process: tensors go through NCCL on torch's stream, or on one beside it where that shall go on meanwhile, and all else through TCP.
/// </summary>
/// <remarks>
/// NCCL waits for ever for a process that has died. So the watch beside it hears of the death and calls <c>ncclCommAbort</c> from its own thread: what is
/// under way on the GPU then ends, the thread that waits for the GPU goes on, and <see cref="Check"/> tells it why before it uses a number.
/// </remarks>
internal sealed class NcclGroup : TrainingGroup
{
    private const uint WithoutTiming = 2; // CU_EVENT_DISABLE_TIMING
    private const uint ApartFromTorchs = 1; // CU_STREAM_NON_BLOCKING
    private const int NotReady = 600; // CUDA_ERROR_NOT_READY

    // What was begun before another left in peace is done by then.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly TcpGroup _control;
    private readonly CudaContext _context;
    private readonly int _gpu;
    private readonly Lock _calls = new();
    private readonly IntPtr _last;
    private readonly IntPtr _given;
    private readonly IntPtr _beside;
    private bool _besideIsUsed;
    private IntPtr _communicator;
    private bool _used;
    private long _leftAt;

    /// <summary>Joins the GPUs.</summary>
    /// <param name="options">Who this process is.</param>
    /// <param name="control">The group over TCP; this object's once it is made.</param>
    /// <param name="gpu">This process' GPU.</param>
    /// <exception cref="TrainingGroupException">NCCL fails, or another process does.</exception>
    public NcclGroup(TrainingGroupOptions options, TcpGroup control, int gpu)
        : base(options)
    {
        (_control, _gpu) = (control, gpu);
        // Multicast over NVLink fails in many containers and gains nothing for gradients of this size.
        NativeEnvironment.SetDefault("NCCL_NVLS_ENABLE", "0");
        // Torch sets up the GPU first, as in any other run.
        zeros(1, device: new Device(DeviceType.CUDA, gpu)).Dispose();
        _context = new CudaContext(gpu);
        Nccl.UniqueId id = default;
        if (Rank == 0)
        {
            Nccl.Check(Nccl.ncclGetUniqueId(out id), nameof(Nccl.ncclGetUniqueId), Rank);
        }
        using (DisposeScope scope = NewDisposeScope())
        {
            Tensor carrier = tensor(Nccl.UniqueId.BytesOf(ref id).ToArray());
            control.Broadcast(carrier);
            carrier.data<byte>().ToArray().CopyTo(Nccl.UniqueId.BytesOf(ref id));
        }
        _communicator = Join(id);
        using (_context.Enter())
        {
            CudaDriver.Check(CudaDriver.cuEventCreate(out _last, WithoutTiming), nameof(CudaDriver.cuEventCreate));
            CudaDriver.Check(CudaDriver.cuEventCreate(out _given, WithoutTiming), nameof(CudaDriver.cuEventCreate));
            CudaDriver.Check(CudaDriver.cuStreamCreate(out _beside, ApartFromTorchs), nameof(CudaDriver.cuStreamCreate));
        }
        control.Failed = Abort;
        control.Watch.Ticked = Look;
        try
        {
            // A death before the line above has called nobody.
            control.Check();
        }
        catch
        {
            Abort();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Barrier() => _control.Barrier();

    /// <inheritdoc/>
    public override void Check() => _control.Check();

    /// <inheritdoc/>
    public override void Leave(string reason) => _control.Leave(reason);

    /// <inheritdoc/>
    internal override void EndAllReduces()
    {
        if (_besideIsUsed)
        {
            using CudaContext.Entry current = _context.Enter();
            Follow(_beside, IntPtr.Zero);
            _besideIsUsed = false;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
        {
            return;
        }
        _control.Watch.Ticked = null;
        if (IsDone())
        {
            IntPtr communicator;
            lock (_calls)
            {
                communicator = Interlocked.Exchange(ref _communicator, IntPtr.Zero);
            }
            if (communicator != IntPtr.Zero)
            {
                // It waits for the others on this machine to do the same, who may be dead.
                Thread end = new(() =>
                {
                    using CudaContext.Entry current = _context.Enter();
                    _ = Nccl.ncclCommDestroy(communicator);
                })
                {
                    IsBackground = true,
                    Name = nameof(NcclGroup),
                };
                end.Start();
                end.Join(Patience);
            }
        }
        else
        {
            Abort();
        }
        _control.Dispose();
        using (_context.Enter())
        {
            _ = CudaDriver.cuEventDestroy(_last);
            _ = CudaDriver.cuEventDestroy(_given);
            _ = CudaDriver.cuStreamDestroy(_beside);
        }
    }

    /// <inheritdoc/>
    private protected override void Begin() => Check();

    /// <inheritdoc/>
    private protected override void Mean(IReadOnlyList<Tensor> tensors, bool beside)
    {
        if (tensors.Any(t => t.device.type != DeviceType.CUDA))
        {
            _control.AllReduce(tensors);
            return;
        }
        IntPtr stream = beside ? _beside : IntPtr.Zero;
        if (beside)
        {
            using CudaContext.Entry current = _context.Enter();
            // After what torch's stream was given so far, and beside what it is given from now on.
            Follow(IntPtr.Zero, _beside);
            _besideIsUsed = true;
        }
        // In place, all in one launch: to lay them end to end would take the host longer than NCCL takes for them.
        Call(tensors, nameof(Nccl.ncclAllReduce), stream, communicator =>
        {
            int result = Nccl.ncclGroupStart();
            foreach (Tensor tensor in tensors)
            {
                long address = TensorMemory.Address(tensor);
                int one = Nccl.ncclAllReduce(address, address, (nuint)tensor.numel(), Nccl.Float32, Nccl.Average, communicator, stream);
                result = result == 0 ? one : result;
            }
            int end = Nccl.ncclGroupEnd();
            return result == 0 ? end : result;
        });
    }

    /// <inheritdoc/>
    private protected override void Copy(Tensor tensor, int root)
    {
        if (tensor.device.type != DeviceType.CUDA)
        {
            _control.Broadcast(tensor, root);
            return;
        }
        long address = TensorMemory.Address(tensor);
        Call(
            [tensor], nameof(Nccl.ncclBroadcast), IntPtr.Zero,
            c => Nccl.ncclBroadcast(address, address, (nuint)(tensor.numel() * tensor.ElementSize), Nccl.Bytes, root, c, IntPtr.Zero));
    }

    /// <summary>Has what one stream is given from now on wait for what another was given so far.</summary>
    private void Follow(IntPtr before, IntPtr after)
    {
        CudaDriver.Check(CudaDriver.cuEventRecord(_given, before), nameof(CudaDriver.cuEventRecord));
        CudaDriver.Check(CudaDriver.cuStreamWaitEvent(after, _given, 0), nameof(CudaDriver.cuStreamWaitEvent));
    }

    private void Call(IReadOnlyList<Tensor> tensors, string name, IntPtr stream, Func<IntPtr, int> call)
    {
        if (tensors.FirstOrDefault(t => t.device.index != _gpu) is { } other)
        {
            throw new ArgumentException($"The tensor lies on {other.device}, but rank {Rank}'s group has GPU {_gpu}.", nameof(tensors));
        }
        if (_control.Watch.Left() is { } gone)
        {
            _control.Watch.Fail(gone, $"Rank {gone} has left the group, and rank {Rank} goes on.");
            Check();
        }
        int result;
        lock (_calls)
        {
            if (_communicator == IntPtr.Zero)
            {
                Check();
                throw new ObjectDisposedException(nameof(TrainingGroup));
            }
            using CudaContext.Entry current = _context.Enter();
            result = call(_communicator);
            CudaDriver.Check(CudaDriver.cuEventRecord(_last, stream), nameof(CudaDriver.cuEventRecord));
            Volatile.Write(ref _used, true);
        }
        // An aborted call says no more than that; the watch knows why.
        Check();
        Nccl.Check(result, name, Rank);
    }

    /// <summary>The communicator, made on a thread of its own: a process that dies in the meantime would keep this one waiting for ever.</summary>
    private IntPtr Join(Nccl.UniqueId id)
    {
        IntPtr communicator = IntPtr.Zero;
        Exception? error = null;
        using ManualResetEventSlim done = new();
        Thread thread = new(() =>
        {
            try
            {
                using CudaContext.Entry current = _context.Enter();
                Nccl.Check(Nccl.ncclCommInitRank(out communicator, WorldSize, id, Rank), nameof(Nccl.ncclCommInitRank), Rank);
            }
            catch (Exception e)
            {
                error = e;
            }
        })
        {
            IsBackground = true,
            Name = nameof(NcclGroup),
        };
        thread.Start();
        Stopwatch watch = Stopwatch.StartNew();
        while (!thread.Join(TimeSpan.FromMilliseconds(100)))
        {
            Check();
            if (watch.Elapsed > Options.ConnectTimeout)
            {
                throw new TrainingGroupException(
                    null, $"NCCL did not join the GPUs within {Options.ConnectTimeout.TotalSeconds:0} seconds on rank {Rank}. "
                        + "NCCL_DEBUG=INFO says what it waits for; NCCL_SOCKET_IFNAME names the network to use.");
            }
        }
        return error is null ? communicator : throw new TrainingGroupException((error as TrainingGroupException)?.Rank ?? Rank, error.Message, error);
    }

    /// <summary>Looks, at each sign of life, for what would keep this process waiting.</summary>
    private void Look()
    {
        int error = 0;
        if (!_calls.TryEnter())
        {
            return; // a call is under way; there is a next time
        }
        try
        {
            if (_communicator == IntPtr.Zero || Nccl.ncclCommGetAsyncError(_communicator, out error) != 0)
            {
                return;
            }
        }
        finally
        {
            _calls.Exit();
        }
        if (error is not (0 or Nccl.InProgress))
        {
            // It tells of a broken connection, and not whose; the watch may hear it first, and then its word stands.
            Thread.Sleep(TimeSpan.FromSeconds(2));
            _control.Watch.Fail(null, $"NCCL failed on rank {Rank}: {Nccl.Text(error)}. The variable NCCL_DEBUG=WARN makes it say more.");
            return;
        }
        if (_control.Watch.Left() is { } gone && !IsDone())
        {
            _leftAt = _leftAt == 0 ? Stopwatch.GetTimestamp() : _leftAt;
            if (Stopwatch.GetElapsedTime(_leftAt) > Patience)
            {
                _control.Watch.Fail(gone, $"Rank {gone} has left the group, and rank {Rank} still waits for it.");
            }
        }
    }

    /// <summary>Whether the GPU has done all that was begun here.</summary>
    private bool IsDone()
    {
        if (!Volatile.Read(ref _used))
        {
            return true;
        }
        using CudaContext.Entry current = _context.Enter();
        return CudaDriver.cuEventQuery(_last) != NotReady;
    }

    private void Abort()
    {
        // A call that is under way may itself wait for the dead: it is waited for a moment only, and an abort ends it.
        bool entered = _calls.TryEnter(Patience);
        try
        {
            IntPtr communicator = Interlocked.Exchange(ref _communicator, IntPtr.Zero);
            if (communicator != IntPtr.Zero)
            {
                using CudaContext.Entry current = _context.Enter();
                _ = Nccl.ncclCommAbort(communicator);
            }
        }
        finally
        {
            if (entered)
            {
                _calls.Exit();
            }
        }
    }
}
