using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dsd.Tools.Tests;

/// <summary>A terminal of Linux's whose window the test holds, and closes.</summary>
internal sealed partial class PseudoTerminal : IDisposable
{
    private readonly SafeFileHandle _window;
    private readonly FileStream _stream;

    public PseudoTerminal()
    {
        // Not handed down to the process under test, which would hold its own window open.
        _window = File.OpenHandle("/dev/ptmx", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] name = new byte[128];
        int descriptor = (int)_window.DangerousGetHandle();
        if (Unlock(descriptor) != 0 || Name(descriptor, name, name.Length) != 0)
        {
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        }
        Path = Encoding.UTF8.GetString(name.AsSpan(0, name.AsSpan().IndexOf((byte)0)));
        _stream = new FileStream(_window, FileAccess.Read, bufferSize: 0);
    }

    /// <summary>What a program opens.</summary>
    public string Path { get; }

    /// <summary>Reads what the program shows until it has shown a word.</summary>
    public void WaitFor(string word)
    {
        StringBuilder shown = new();
        byte[] buffer = new byte[4096];
        while (!shown.ToString().Contains(word, StringComparison.Ordinal))
        {
            int count;
            try
            {
                count = _stream.Read(buffer);
            }
            catch (IOException e)
            {
                // The program has ended.
                throw new IOException($"The terminal ended after: {shown}", e);
            }
            shown.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
    }

    /// <summary>Closes the window.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _window.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    private static partial int Unlock(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    private static partial int Name(int descriptor, byte[] name, nint length);
}
