using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Parallel;

/// <summary>Processes that train one model together, each on its share of every batch: what they exchange.</summary>
/// <remarks>
/// All processes call the same methods in the same order with tensors of the same sizes. One that dies ends the others: what they wait in, or call next,
/// throws a <see cref="TrainingGroupException"/> that names it. A group is used by one thread at a time.
/// </remarks>
public abstract class TrainingGroup : IDisposable
{
    private protected TrainingGroup(TrainingGroupOptions options) => Options = options;

    /// <summary>This process' number in the group, from 0.</summary>
    public int Rank => Options.Rank;

    /// <summary>Processes in the group.</summary>
    public int WorldSize => Options.WorldSize;

    /// <summary>This process' number on its machine, from 0.</summary>
    public int LocalRank => Options.LocalRank;

    /// <summary>Who is who.</summary>
    private protected TrainingGroupOptions Options { get; }

    /// <summary>Joins the group that torchrun's variables tell of: see <see cref="TrainingGroupOptions.FromEnvironment()"/>.</summary>
    /// <param name="device">Where the process computes: NCCL joins GPUs, TCP all else. Null, the default, is the CPU.</param>
    /// <returns>The group, for the caller to dispose; null where no variable is set.</returns>
    /// <exception cref="ArgumentException">The variables contradict each other, or there is no such GPU.</exception>
    /// <exception cref="TrainingGroupException">The processes do not find each other in time, or NCCL fails.</exception>
    /// <exception cref="DllNotFoundException">NCCL's library is not there; the message says where to get it.</exception>
    public static TrainingGroup? FromEnvironment(Device? device = null) =>
        TrainingGroupOptions.FromEnvironment() is { } options ? Connect(options, device) : null;

    /// <summary>Joins a group and waits until all others have.</summary>
    /// <param name="options">Who this process is, and where the group meets.</param>
    /// <param name="device">As for <see cref="FromEnvironment"/>; a GPU without a number is <see cref="LocalRank"/>'s.</param>
    /// <returns>The group, for the caller to dispose.</returns>
    /// <inheritdoc cref="FromEnvironment" path="/exception"/>
    public static TrainingGroup Connect(TrainingGroupOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Rank >= options.WorldSize)
        {
            throw new ArgumentException($"Rank {options.Rank} is not below the group's size, {options.WorldSize}.", nameof(options));
        }
        if (device is not { type: DeviceType.CUDA } || options.WorldSize == 1)
        {
            return new TcpGroup(options);
        }
        int gpu = device.index >= 0 ? device.index : options.LocalRank;
        int gpus = cuda.device_count();
        if (gpu >= gpus)
        {
            throw new ArgumentException($"Rank {options.Rank} shall use GPU {gpu}, but this process sees {gpus}, numbered from 0.", nameof(options));
        }
        // Before anybody is waited for: what is missing on one machine is said there at once.
        Nccl.Require();
        TcpGroup control = new(options);
        try
        {
            return new NcclGroup(options, control, gpu);
        }
        catch (Exception e)
        {
            control.Leave(e.Message);
            control.Dispose();
            throw;
        }
    }

    /// <summary>Replaces a tensor by its mean over all processes, which then have the same bits. On a GPU the work is begun, not waited for.</summary>
    /// <param name="tensor">Contiguous, in float32.</param>
    /// <exception cref="TrainingGroupException">Another process died, left, or calls something else.</exception>
    public void AllReduce(Tensor tensor) => AllReduce([tensor]);

    /// <summary>The same for each of several tensors, in one exchange.</summary>
    /// <param name="tensors">As many in all processes, of the same sizes: contiguous, in float32.</param>
    /// <exception cref="TrainingGroupException">Another process died, left, or calls something else.</exception>
    internal void AllReduce(IReadOnlyList<Tensor> tensors) => AllReduce(tensors, beside: false);

    /// <summary>
    /// The same beside what the GPU is given afterwards: the tensors may be read or changed after <see cref="EndAllReduces"/> alone, and must live until then.
    /// </summary>
    /// <inheritdoc cref="AllReduce(IReadOnlyList{Tensor})"/>
    internal void BeginAllReduce(IReadOnlyList<Tensor> tensors) => AllReduce(tensors, beside: true);

    /// <summary>Has what the GPU is given from now on wait for what <see cref="BeginAllReduce"/> began.</summary>
    internal virtual void EndAllReduces()
    {
    }

    private void AllReduce(IReadOnlyList<Tensor> tensors, bool beside)
    {
        foreach (Tensor tensor in tensors)
        {
            Require(tensor);
            if (tensor.dtype != ScalarType.Float32)
            {
                throw new ArgumentException($"The mean is taken of float32 alone, but the tensor is in {tensor.dtype}.", nameof(tensors));
            }
        }
        Begin();
        Tensor[] full = [.. tensors.Where(t => t.numel() > 0)];
        if (WorldSize > 1 && full.Length > 0)
        {
            Mean(full, beside);
        }
    }

    /// <summary>Gives all processes the tensor of one. On a GPU the work is begun, not waited for.</summary>
    /// <param name="tensor">Contiguous, of any type.</param>
    /// <param name="root">Whose tensor it is. Default 0.</param>
    /// <exception cref="TrainingGroupException">Another process died, left, or calls something else.</exception>
    public void Broadcast(Tensor tensor, int root = 0)
    {
        Require(tensor);
        ArgumentOutOfRangeException.ThrowIfNegative(root);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(root, WorldSize);
        Begin();
        if (WorldSize > 1 && tensor.numel() > 0)
        {
            Copy(tensor, root);
        }
    }

    /// <summary>Waits until all processes have come here.</summary>
    /// <exception cref="TrainingGroupException">Another process died, left, or calls something else.</exception>
    public abstract void Barrier();

    /// <summary>
    /// Refuses to go on where another process has died. On a GPU what was begun before ends early then, with numbers that mean nothing: call this after
    /// results have been read and before they are used.
    /// </summary>
    /// <exception cref="TrainingGroupException">Another process died.</exception>
    public abstract void Check();

    /// <summary>Tells the others that this process ends with an error, so that they end too and say why. The group is of no use afterwards.</summary>
    /// <param name="reason">What happened.</param>
    public abstract void Leave(string reason);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Leaves the group: others that still wait for this process end with an error.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Called at the beginning of everything that others take part in.</summary>
    private protected abstract void Begin();

    /// <summary>Replaces each of some tensors, none of them empty, by its mean.</summary>
    /// <param name="tensors">At least one.</param>
    /// <param name="beside">Whether <see cref="EndAllReduces"/> waits for it, and not what the GPU is given next.</param>
    private protected abstract void Mean(IReadOnlyList<Tensor> tensors, bool beside);

    /// <summary>Replaces a tensor that is not empty by the root's.</summary>
    private protected abstract void Copy(Tensor tensor, int root);

    private static void Require(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (!tensor.is_contiguous())
        {
            throw new ArgumentException("Only contiguous tensors travel between processes.", nameof(tensor));
        }
    }
}
