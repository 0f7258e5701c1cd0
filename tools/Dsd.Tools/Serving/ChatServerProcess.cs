using System.Diagnostics;
using System.Globalization;

namespace Dsd.Tools.Serving;

/// <summary>
/// A <see cref="ChatServer"/> with fixed verdicts in a process of its own, so that its work is not counted as its client's. It ends with its standard
/// input, so also when this process dies.
/// </summary>
internal sealed class ChatServerProcess : IDisposable
{
    private readonly Process _process;

    private ChatServerProcess(Process process, Uri address) => (_process, Address) = (process, address);

    /// <summary>Where the protocol begins.</summary>
    public Uri Address { get; }

    /// <summary>Starts one.</summary>
    /// <exception cref="InvalidOperationException">It did not start.</exception>
    public static async Task<ChatServerProcess> StartAsync(TimeSpan latency, CancellationToken cancel)
    {
        string[] arguments = ["bench", "curation-server", "--latency", latency.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)];
        ProcessStartInfo start = OwnProgram.Start(arguments);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        Process process = Process.Start(start) ?? throw new InvalidOperationException("The server's process did not start.");
        try
        {
            string? line = await process.StandardOutput.ReadLineAsync(cancel);
            return Uri.TryCreate(line, UriKind.Absolute, out Uri? address)
                ? new ChatServerProcess(process, address)
                : throw new InvalidOperationException($"The server's process said '{line}' instead of its address.");
        }
        catch
        {
            End(process);
            throw;
        }
    }

    public void Dispose() => End(_process);

    private static void End(Process process)
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            process.Kill();
        }
        process.Dispose();
    }
}
