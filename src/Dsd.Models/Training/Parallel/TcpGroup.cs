using System.Buffers.Binary;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime.InteropServices;
using Dsd.Models.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Parallel;

/// <summary>A group over TCP, for the CPU: a star around rank 0, which adds up in the order of ranks, so that results do not depend on time.</summary>
/// <remarks>
/// Tensors travel in pieces, each with a head that says what is done, how often something was done before, and how long the whole is: processes that do
/// different things are found out before a number is used. A tensor on a GPU passes through the host's memory.
/// </remarks>
internal sealed class TcpGroup : TrainingGroup
{
    private const int PieceBytes = 4 << 20;
    private const int HeadLength = sizeof(int) + sizeof(long) + sizeof(long) + sizeof(int);
    private readonly GroupLink[] _links;
    private readonly byte[] _head = new byte[HeadLength];
    private readonly Lazy<byte[]> _piece = new(() => new byte[PieceBytes]);
    private long _number;

    /// <summary>Meets the others.</summary>
    /// <exception cref="TrainingGroupException">They do not come.</exception>
    public TcpGroup(TrainingGroupOptions options)
        : base(options)
    {
        (_links, GroupLink[] watched) = GroupMeeting.Meet(options);
        Watch = new GroupWatch(options.Rank, watched, options.SilenceTimeout, () =>
        {
            // Whoever waits there is thrown out.
            foreach (GroupLink link in _links)
            {
                link.Dispose();
            }
            Failed?.Invoke();
        });
    }

    private enum Act
    {
        Mean = 1,
        Copy = 2,
        Wait = 3,
    }

    /// <summary>Who lives.</summary>
    public GroupWatch Watch { get; }

    /// <summary>Called once when the group fails, on any thread.</summary>
    public Action? Failed { get; set; }

    /// <summary>Numbers of small tensors that are laid end to end in an exchange, which costs time however small it is: 8 million, 32 MB.</summary>
    internal long LongestExchange { get; set; } = 8L << 20;

    /// <inheritdoc/>
    public override void Barrier()
    {
        Begin();
        _number++;
        Guard(() =>
        {
            if (Rank == 0)
            {
                foreach (GroupLink link in _links)
                {
                    Receive(link, Act.Wait, 0, []);
                }
            }
            foreach (GroupLink link in _links)
            {
                Send(link, Act.Wait, 0, []);
            }
            if (Rank != 0)
            {
                Receive(_links[0], Act.Wait, 0, []);
            }
        });
    }

    /// <inheritdoc/>
    public override void Check() => Watch.Check();

    /// <inheritdoc/>
    public override void Leave(string reason) => Watch.Fail(Rank, $"Rank {Rank} has ended with an error: {reason}");

    /// <summary>Ends without a word, as a process that dies.</summary>
    internal void Die()
    {
        Watch.Close();
        Close();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Watch.Dispose();
            Close();
        }
    }

    /// <inheritdoc/>
    private protected override void Begin() => Check();

    /// <inheritdoc/>
    private protected override void Mean(IReadOnlyList<Tensor> tensors, bool beside)
    {
        using IDisposable noGrad = no_grad();
        for (int first = 0; first < tensors.Count;)
        {
            using DisposeScope scope = NewDisposeScope();
            int next = first;
            long length = 0;
            do
            {
                length += tensors[next++].numel();
            }
            while (next < tensors.Count && length + tensors[next].numel() <= LongestExchange);
            if (next == first + 1)
            {
                Mean(tensors[first]);
            }
            else
            {
                Tensor flat = cat([.. tensors.Skip(first).Take(next - first).Select(t => t.view(-1))]);
                Mean(flat);
                long start = 0;
                foreach (Tensor tensor in tensors.Skip(first).Take(next - first))
                {
                    tensor.view(-1).copy_(flat.narrow(0, start, tensor.numel()));
                    start += tensor.numel();
                }
            }
            first = next;
        }
    }

    private void Mean(Tensor tensor) => OnHost(tensor, (address, bytes) =>
    {
        for (long start = 0; start < bytes; start += PieceBytes)
        {
            Mean(address + (nint)start, (int)Math.Min(PieceBytes, bytes - start), bytes);
        }
    });

    /// <inheritdoc/>
    private protected override void Copy(Tensor tensor, int root) => OnHost(tensor, (address, bytes) =>
    {
        for (long start = 0; start < bytes; start += PieceBytes)
        {
            Copy(address + (nint)start, (int)Math.Min(PieceBytes, bytes - start), bytes, root);
        }
    });

    private static unsafe Span<byte> At(nint address, int bytes) => new((void*)address, bytes);

    private void Mean(nint address, int bytes, long total)
    {
        Span<byte> own = At(address, bytes);
        if (Rank != 0)
        {
            Send(_links[0], Act.Mean, total, own);
            Receive(_links[0], Act.Mean, total, own);
            return;
        }
        Span<float> sum = MemoryMarshal.Cast<byte, float>(own);
        Span<byte> theirs = _piece.Value.AsSpan(0, bytes);
        foreach (GroupLink link in _links)
        {
            Receive(link, Act.Mean, total, theirs);
            Add(sum, MemoryMarshal.Cast<byte, float>(theirs));
        }
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] /= WorldSize;
        }
        foreach (GroupLink link in _links)
        {
            Send(link, Act.Mean, total, own);
        }
    }

    private void Copy(nint address, int bytes, long total, int root)
    {
        Span<byte> own = At(address, bytes);
        if (Rank != 0)
        {
            if (Rank == root)
            {
                Send(_links[0], Act.Copy, total, own);
            }
            else
            {
                Receive(_links[0], Act.Copy, total, own);
            }
            return;
        }
        if (root != 0)
        {
            Receive(_links[root - 1], Act.Copy, total, own);
        }
        foreach (GroupLink link in _links.Where(l => l.Rank != root))
        {
            Send(link, Act.Copy, total, own);
        }
    }

    private static void Add(Span<float> sum, ReadOnlySpan<float> other)
    {
        Span<Vector<float>> sums = MemoryMarshal.Cast<float, Vector<float>>(sum);
        ReadOnlySpan<Vector<float>> others = MemoryMarshal.Cast<float, Vector<float>>(other);
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] += others[i];
        }
        for (int i = sums.Length * Vector<float>.Count; i < sum.Length; i++)
        {
            sum[i] += other[i];
        }
    }

    private void OnHost(Tensor tensor, Action<nint, long> work)
    {
        _number++;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        bool elsewhere = tensor.device.type != DeviceType.CPU;
        Tensor host = elsewhere ? tensor.cpu() : tensor;
        Guard(() => work((nint)TensorMemory.Address(host), host.numel() * host.ElementSize));
        GC.KeepAlive(host);
        if (elsewhere)
        {
            tensor.copy_(host);
        }
    }

    /// <summary>Turns what breaks here into what the watch knows of it.</summary>
    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (BrokenLinkException e)
        {
            Watch.Explain(e.Link, e.InnerException!);
        }
    }

    private void Send(GroupLink link, Act act, long total, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_head, (int)act);
        BinaryPrimitives.WriteInt64LittleEndian(_head.AsSpan(4), _number);
        BinaryPrimitives.WriteInt64LittleEndian(_head.AsSpan(12), total);
        BinaryPrimitives.WriteInt32LittleEndian(_head.AsSpan(20), bytes.Length);
        try
        {
            link.Send(_head);
            link.Send(bytes);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            throw new BrokenLinkException(link, e);
        }
    }

    private void Receive(GroupLink link, Act act, long total, Span<byte> bytes)
    {
        try
        {
            link.Receive(_head);
            int foundAct = BinaryPrimitives.ReadInt32LittleEndian(_head);
            long number = BinaryPrimitives.ReadInt64LittleEndian(_head.AsSpan(4));
            long foundTotal = BinaryPrimitives.ReadInt64LittleEndian(_head.AsSpan(12));
            int length = BinaryPrimitives.ReadInt32LittleEndian(_head.AsSpan(20));
            if (foundAct != (int)act || number != _number || foundTotal != total || length != bytes.Length)
            {
                Watch.Fail(link.Rank, $"{link.Name} is out of step with rank {Rank}: expected {act} number {_number} of {total} bytes in a piece of "
                    + $"{bytes.Length}, found {(Act)foundAct} number {number} of {foundTotal} bytes in a piece of {length}. "
                    + "All processes must have the same program, options and data.");
                Watch.Check();
            }
            link.Receive(bytes);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            throw new BrokenLinkException(link, e);
        }
    }

    private void Close()
    {
        foreach (GroupLink link in _links)
        {
            link.Dispose();
        }
    }

    private sealed class BrokenLinkException(GroupLink link, Exception inner) : Exception(inner.Message, inner)
    {
        public GroupLink Link { get; } = link;
    }
}
