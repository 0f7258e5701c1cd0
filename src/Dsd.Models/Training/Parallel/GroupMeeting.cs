using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Dsd.Models.Training.Parallel;

/// <summary>How the processes of a group find each other: all come to rank 0 with two connections, one for tensors and one for signs of life.</summary>
/// <remarks>
/// Rank 0 answers when all have come, and then listens no more. Who greets wrongly is sent away and does not disturb the others: strangers without a word,
/// processes of another version, run or size with a reason.
/// </remarks>
internal static class GroupMeeting
{
    private const int GreetingsAtOnce = 256;
    private const int MostAnswer = 1024;
    private static readonly TimeSpan GreetingTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Meets the others.</summary>
    /// <returns>Rank 0's connections to the others in order, or another's to rank 0.</returns>
    /// <exception cref="TrainingGroupException">They do not come in time, or rank 0 sends this process away.</exception>
    public static (GroupLink[] Data, GroupLink[] Watch) Meet(TrainingGroupOptions options) =>
        options.WorldSize == 1 ? ([], []) : options.Rank == 0 ? Receive(options) : Come(options);

    private static (GroupLink[] Data, GroupLink[] Watch) Receive(TrainingGroupOptions options)
    {
        // Whoever is on this machine alone need not be reached from elsewhere. A name says nothing of that: many systems give their own a loopback address.
        IPAddress? alone = IPAddress.TryParse(options.MasterAddress, out IPAddress? literal) && IPAddress.IsLoopback(literal) ? literal : null;
        using Socket listener = alone is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp)
            : new Socket(alone.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            IPAddress any = listener.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
            listener.Bind(new IPEndPoint(alone ?? any, options.MasterPort));
            listener.Listen(512);
        }
        catch (SocketException e)
        {
            throw new TrainingGroupException(
                0, $"Rank 0 cannot listen on port {options.MasterPort}: {e.Message} Give another MASTER_PORT to all processes.", e);
        }
        Stopwatch watch = Stopwatch.StartNew();
        int others = options.WorldSize - 1;
        Socket?[,] come = new Socket?[2, others];
        List<string> refused = [];
        int greeting = 0;
        Lock gate = new();
        bool closed = false;
        while (true)
        {
            lock (gate)
            {
                if (come.Cast<Socket?>().All(s => s is not null))
                {
                    closed = true;
                    break;
                }
                if (watch.Elapsed > options.ConnectTimeout)
                {
                    closed = true;
                    throw NotAll();
                }
            }
            if (!listener.Poll(Pause, SelectMode.SelectRead))
            {
                continue;
            }
            Socket socket = listener.Accept();
            if (Interlocked.Increment(ref greeting) > GreetingsAtOnce)
            {
                Interlocked.Decrement(ref greeting);
                socket.Dispose();
                continue;
            }
            // A stranger who says nothing must not keep the others waiting.
            _ = Task.Run(() =>
            {
                try
                {
                    Greet(socket);
                }
                finally
                {
                    Interlocked.Decrement(ref greeting);
                }
            });
        }
        (List<GroupLink> data, List<GroupLink> signs) = ([], []);
        for (int i = 0; i < others; i++)
        {
            Answer(come[0, i]!, null);
            Answer(come[1, i]!, null);
            data.Add(Link(come[0, i]!, i + 1));
            signs.Add(Link(come[1, i]!, i + 1));
        }
        return ([.. data], [.. signs]);

        void Greet(Socket socket)
        {
            GroupGreeting? hello = null;
            try
            {
                byte[] bytes = new byte[GroupGreeting.Length];
                hello = Fill(socket, bytes, GreetingTime) ? GroupGreeting.Read(bytes) : null;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Whoever goes away again is no concern of the group.
            }
            if (hello is null)
            {
                socket.Dispose();
                return;
            }
            lock (gate)
            {
                string? reason = closed ? "the group is complete or has given up" : Reason(hello, options);
                if (reason is null)
                {
                    ref Socket? place = ref come[hello.ForWatch ? 1 : 0, hello.Rank - 1];
                    // A process that was started again takes the place of its dead predecessor.
                    if (place is null || IsClosed(place))
                    {
                        place?.Dispose();
                        place = socket;
                        return;
                    }
                    reason = $"another process has come as rank {hello.Rank} already";
                }
                if (refused.Count < 10)
                {
                    refused.Add($"{GroupLink.AddressOf(socket)} as rank {hello.Rank} ({reason})");
                }
                Answer(socket, reason);
                socket.Dispose();
            }
        }

        TrainingGroupException NotAll()
        {
            int[] missing = [.. Enumerable.Range(1, others).Where(r => come[0, r - 1] is null || come[1, r - 1] is null)];
            string message = $"Of {options.WorldSize} processes rank {string.Join(", ", missing.Take(20))}{(missing.Length > 20 ? " and more" : "")} "
                + $"did not come to port {options.MasterPort} within {options.ConnectTimeout.TotalSeconds:0} seconds."
                + (refused.Count > 0 ? $" Sent away: {string.Join("; ", refused)}." : "");
            foreach (Socket socket in come.Cast<Socket?>().OfType<Socket>())
            {
                Answer(socket, message);
                socket.Dispose();
            }
            return new TrainingGroupException(missing[0], message);
        }
    }

    private static string? Reason(GroupGreeting hello, TrainingGroupOptions options)
    {
        GroupGreeting own = GroupGreeting.Of(options, hello.ForWatch);
        return hello.Version != own.Version ? $"it speaks version {hello.Version} of the protocol, rank 0 version {own.Version}"
            : !CryptographicOperations.FixedTimeEquals(hello.Job, own.Job) ? $"it belongs to another run: {TrainingGroupOptions.JobVariable} differs"
            : hello.WorldSize != own.WorldSize ? $"it takes the group to have {hello.WorldSize} processes, rank 0 {own.WorldSize}"
            : hello.Rank < 1 || hello.Rank >= own.WorldSize ? $"rank {hello.Rank} is none of 1 to {own.WorldSize - 1}"
            : null;
    }

    private static (GroupLink[] Data, GroupLink[] Watch) Come(TrainingGroupOptions options)
    {
        Stopwatch watch = Stopwatch.StartNew();
        string place = $"{options.MasterAddress}:{options.MasterPort}";
        Socket? data = null, signs = null;
        try
        {
            data = Connect(options, watch, forWatch: false);
            signs = Connect(options, watch, forWatch: true);
            Heed(data);
            Heed(signs);
            return ([Link(data, 0)], [Link(signs, 0)]);
        }
        catch (Exception e)
        {
            data?.Dispose();
            signs?.Dispose();
            if (e is SocketException or IOException)
            {
                throw new TrainingGroupException(0, $"Rank 0 at {place}: {e.Message}", e);
            }
            throw;
        }

        void Heed(Socket socket)
        {
            // A little longer than rank 0, which then says who did not come.
            TimeSpan left = options.ConnectTimeout - watch.Elapsed;
            left = (left > TimeSpan.Zero ? left : TimeSpan.Zero) + GreetingTime;
            byte[] head = new byte[GroupGreeting.Magic.Length + 8];
            if (!Fill(socket, head, left))
            {
                throw new TrainingGroupException(0, $"Rank 0 at {place} closed the connection or did not answer within {left.TotalSeconds:0} seconds.");
            }
            int length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(GroupGreeting.Magic.Length + 4));
            if (!head.AsSpan().StartsWith(GroupGreeting.Magic) || length is < 0 or > MostAnswer)
            {
                throw new TrainingGroupException(0, $"What answers at {place} is not rank 0 of a training run: another program has that port.");
            }
            byte[] reason = new byte[length];
            if (length > 0)
            {
                _ = Fill(socket, reason, GreetingTime);
                throw new TrainingGroupException(0, $"Rank 0 at {place} does not take rank {options.Rank}: {Encoding.UTF8.GetString(reason)}");
            }
        }
    }

    private static Socket Connect(TrainingGroupOptions options, Stopwatch watch, bool forWatch)
    {
        while (true)
        {
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                TimeSpan left = options.ConnectTimeout - watch.Elapsed;
                using CancellationTokenSource stop = new(left > Pause ? left : Pause);
                socket.ConnectAsync(options.MasterAddress, options.MasterPort, stop.Token).AsTask().GetAwaiter().GetResult();
                // Where nobody listens on a port of this machine, a connection may by chance be given that very port and reach itself.
                if (!Equals(socket.LocalEndPoint, socket.RemoteEndPoint))
                {
                    socket.NoDelay = true;
                    socket.Send(GroupGreeting.Of(options, forWatch).ToBytes());
                    return socket;
                }
                socket.Dispose();
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                // Rank 0 may come later; its machine's name too, in a cluster.
                if (watch.Elapsed + Pause > options.ConnectTimeout)
                {
                    throw new TrainingGroupException(
                        0,
                        $"Rank 0 is not at {options.MasterAddress}:{options.MasterPort} after {options.ConnectTimeout.TotalSeconds:0} seconds: {e.Message}",
                        e);
                }
            }
            Thread.Sleep(Pause);
        }
    }

    private static GroupLink Link(Socket socket, int rank)
    {
        socket.NoDelay = true;
        socket.ReceiveTimeout = 0;
        return new GroupLink(socket, rank);
    }

    /// <summary>Fills the bytes in a time for all of them; false where the other end closes or takes longer.</summary>
    private static bool Fill(Socket socket, Span<byte> bytes, TimeSpan time)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (bytes.Length > 0)
        {
            TimeSpan left = time - watch.Elapsed;
            if (left <= TimeSpan.Zero || !socket.Poll(left, SelectMode.SelectRead))
            {
                return false;
            }
            int some = socket.Receive(bytes);
            if (some == 0)
            {
                return false;
            }
            bytes = bytes[some..];
        }
        return true;
    }

    /// <summary>Takes in a process, or says why not.</summary>
    private static void Answer(Socket socket, string? reason)
    {
        byte[] text = Encoding.UTF8.GetBytes(reason ?? "");
        text = text.Length > MostAnswer ? text[..MostAnswer] : text;
        byte[] head = [.. GroupGreeting.Magic, .. new byte[8]];
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(GroupGreeting.Magic.Length), GroupGreeting.CurrentVersion);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(GroupGreeting.Magic.Length + 4), text.Length);
        try
        {
            socket.Send([.. head, .. text]);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone already: whoever was taken in is missed at the first sign of life.
        }
    }

    private static bool IsClosed(Socket socket) => socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
}
