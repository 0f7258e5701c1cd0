using System.Runtime.InteropServices;

namespace Dsd.CommandLine;

/// <summary>
/// Standard output or standard error of this process, unbuffered. .NET's own stream ignores a pipe that nobody reads any more; this one reports
/// every write that failed.
/// </summary>
public sealed partial class StandardStream : Stream
{
    private const int Interrupted = 4;
    private const int GetFlags = 1;
    private const int CloseOnExec = 1;

    // EAGAIN: 11 on Linux, 35 on macOS.
    private static readonly int Again = OperatingSystem.IsMacOS() ? 35 : 11;

    private readonly int _descriptor;

    private StandardStream(int descriptor) => _descriptor = descriptor;

    /// <summary>Standard output.</summary>
    public static Stream Output() => Open(1);

    /// <summary>Standard error.</summary>
    public static Stream Error() => Open(2);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The bytes, or some of them, could not be written.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written = WriteSome(_descriptor, buffer, buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }
            int error = Marshal.GetLastPInvokeError();
            if (error == Again)
            {
                // The other side has made the pipe non-blocking and does not read as fast.
                Thread.Sleep(10);
            }
            else if (error != Interrupted)
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static Stream Open(int descriptor)
    {
        if (OperatingSystem.IsWindows())
        {
            return descriptor == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
        }
        // Started with a closed descriptor, the runtime has taken its number for a pipe, a library or memory that it compiles into, and a line
        // written there would do harm.
        // What was handed down to a process never closes with an exec; what the runtime opens always does.
        int flags = Flags(descriptor, GetFlags);
        return new StandardStream(flags < 0 || (flags & CloseOnExec) != 0 ? -1 : descriptor);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteSome(int descriptor, ReadOnlySpan<byte> buffer, nint count);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Flags(int descriptor, int command);
}
