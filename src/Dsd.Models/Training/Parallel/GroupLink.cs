using System.Net.Sockets;

namespace Dsd.Models.Training.Parallel;

/// <summary>A connection to another process of the group. One thread may send while another receives.</summary>
/// <param name="socket">The connection, this object's from now on.</param>
/// <param name="rank">Who is at the other end.</param>
internal sealed class GroupLink(Socket socket, int rank) : IDisposable
{
    // Into the description as long as the socket is open: of a closed one it cannot be asked.
    private readonly string _address = AddressOf(socket);

    /// <summary>Who is at the other end.</summary>
    public int Rank => rank;

    /// <summary>What messages call it.</summary>
    public string Name => $"Rank {rank} ({_address})";

    /// <summary>How long a receipt may take; zero is for ever.</summary>
    public TimeSpan ReceiveTimeout
    {
        set => socket.ReceiveTimeout = (int)value.TotalMilliseconds;
    }

    /// <summary>How long the other end may take nothing; zero is for ever.</summary>
    public TimeSpan SendTimeout
    {
        set => socket.SendTimeout = (int)value.TotalMilliseconds;
    }

    /// <summary>Where a socket leads to.</summary>
    public static string AddressOf(Socket socket) => socket.RemoteEndPoint?.ToString()?.Replace("::ffff:", "", StringComparison.Ordinal) ?? "unknown";

    /// <summary>Sends all.</summary>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">It was closed here.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    /// <summary>Fills the whole span.</summary>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">It was closed here.</exception>
    /// <exception cref="EndOfStreamException">It was closed there.</exception>
    public void Receive(Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int some = socket.Receive(bytes);
            bytes = some > 0 ? bytes[some..] : throw new EndOfStreamException("the connection was closed at the other end");
        }
    }

    /// <summary>Closes the connection; whoever sends or receives is thrown out.</summary>
    public void Dispose()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed already, by either end.
        }
        socket.Dispose();
    }
}
