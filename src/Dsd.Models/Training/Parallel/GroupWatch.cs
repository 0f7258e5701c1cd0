using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Dsd.Models.Training.Parallel;

/// <summary>
/// Knows who of the group lives, on connections and threads of its own, so that it hears of a death while the process computes or waits for a GPU. Rank 0
/// passes on what it hears.
/// </summary>
internal sealed class GroupWatch : IDisposable
{
    private const int HeadLength = 1 + sizeof(int) + sizeof(ushort);
    private const int MostText = 1024;
    private readonly int _rank;
    private readonly GroupLink[] _links;
    private readonly TimeSpan _silence;
    private readonly TimeSpan _beat;
    private readonly Action _failed;
    private readonly Lock _gate = new();
    private readonly Lock[] _sending;
    private readonly HashSet<int> _left = [];
    private readonly ManualResetEventSlim _stop = new();
    private TrainingGroupException? _failure;

    /// <summary>Begins to watch.</summary>
    /// <param name="rank">This process.</param>
    /// <param name="links">The connections to watch, this object's from now on.</param>
    /// <param name="silence">After how long a silence a process is dead.</param>
    /// <param name="failed">Called once, on any thread, when somebody has died or ended with an error.</param>
    public GroupWatch(int rank, GroupLink[] links, TimeSpan silence, Action failed)
    {
        (_rank, _links, _silence, _failed) = (rank, links, silence, failed);
        _beat = TimeSpan.FromSeconds(Math.Min(1, silence.TotalSeconds / 10));
        _sending = [.. links.Select(_ => new Lock())];
        foreach (GroupLink link in links)
        {
            link.ReceiveTimeout = silence;
            link.SendTimeout = silence;
            Start(() => Listen(link));
        }
        if (links.Length > 0)
        {
            Start(Beat);
        }

        static void Start(Action work) => new Thread(() => work()) { IsBackground = true, Name = nameof(GroupWatch) }.Start();
    }

    private enum Word : byte
    {
        Alive = 1,
        Left = 2,
        Failed = 3,
    }

    /// <summary>Called at each of this process' signs of life, on their thread.</summary>
    public Action? Ticked { get; set; }

    /// <summary>Throws if somebody has died or ended with an error.</summary>
    public void Check()
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw new TrainingGroupException(failure.Rank, failure.Message, failure);
        }
    }

    /// <summary>Somebody who has left; null where nobody has.</summary>
    public int? Left()
    {
        lock (_gate)
        {
            return _left.Count > 0 ? _left.Min() : null;
        }
    }

    /// <summary>Ends the group for all: the first reason stands, and the others are told.</summary>
    /// <param name="rank">Who is at fault; null where nobody is known to be.</param>
    /// <param name="reason">What happened; it names the process.</param>
    public void Fail(int? rank, string reason)
    {
        if (Interlocked.CompareExchange(ref _failure, new TrainingGroupException(rank, reason), null) is not null)
        {
            return;
        }
        // First the others, the one at fault too: they must hear the reason before they see connections break.
        Tell(Word.Failed, rank ?? -1, reason, except: null);
        _failed();
    }

    /// <summary>Why a connection for tensors broke: waits a moment for what is said of it, and ends the group in any case.</summary>
    /// <exception cref="TrainingGroupException">Always.</exception>
    public void Explain(GroupLink link, Exception broken)
    {
        for (long begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(3); Thread.Sleep(10))
        {
            Check();
            if (HasLeft(link.Rank))
            {
                Fail(link.Rank, $"Rank {link.Rank} has left the group, and rank {_rank} still waits for it.");
            }
        }
        Fail(link.Rank, $"{link.Name} is lost: {broken.Message}.");
        Check();
    }

    /// <summary>Says goodbye and ends.</summary>
    public void Dispose()
    {
        if (_stop.IsSet)
        {
            return;
        }
        if (Volatile.Read(ref _failure) is null)
        {
            Tell(Word.Left, _rank, "", except: null);
        }
        Close();
    }

    /// <summary>Ends without a word, as a process that dies.</summary>
    internal void Close()
    {
        _stop.Set();
        foreach (GroupLink link in _links)
        {
            link.Dispose();
        }
    }

    private void Beat()
    {
        while (!_stop.Wait(_beat))
        {
            Tell(Word.Alive, _rank, "", except: null);
            Ticked?.Invoke();
        }
    }

    private void Listen(GroupLink link)
    {
        byte[] head = new byte[HeadLength];
        try
        {
            while (true)
            {
                link.Receive(head);
                Word word = (Word)head[0];
                int rank = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(1));
                int length = BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(1 + sizeof(int)));
                if (word is not (Word.Alive or Word.Left or Word.Failed) || length > MostText)
                {
                    Fail(link.Rank, $"{link.Name} breaks the protocol: its sign of life is none (kind {head[0]}, {length} bytes).");
                    return;
                }
                byte[] text = new byte[length];
                link.Receive(text);
                Hear(link, word, rank, text);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            if (_stop.IsSet || HasLeft(link.Rank))
            {
                return;
            }
            Fail(link.Rank, e is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
                ? $"{link.Name} has died or cannot be reached: nothing was heard of it for {_silence.TotalSeconds:0} seconds."
                : $"{link.Name} has died: its connection closed without a word.");
        }
    }

    private void Hear(GroupLink link, Word word, int rank, byte[] text)
    {
        if (word == Word.Left)
        {
            lock (_gate)
            {
                _left.Add(rank);
            }
            if (_rank == 0)
            {
                Tell(Word.Left, rank, "", except: link.Rank);
            }
        }
        else if (word == Word.Failed)
        {
            Fail(rank < 0 ? null : rank, Encoding.UTF8.GetString(text));
        }
    }

    private bool HasLeft(int rank)
    {
        lock (_gate)
        {
            return _left.Contains(rank);
        }
    }

    private void Tell(Word word, int rank, string text, int? except)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, MostText);
        byte[] message = [(byte)word, .. new byte[HeadLength - 1], .. bytes[..length]];
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), rank);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(1 + sizeof(int)), (ushort)length);
        for (int i = 0; i < _links.Length; i++)
        {
            if (_links[i].Rank == except)
            {
                continue;
            }
            try
            {
                lock (_sending[i])
                {
                    _links[i].Send(message);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Whoever listens at this connection sees that it is broken.
            }
        }
    }
}
