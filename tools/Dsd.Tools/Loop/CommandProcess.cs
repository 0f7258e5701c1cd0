using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Dsd.Tools.Loop;

/// <summary>
/// Runs a command in a process of its own, which gives a GPU's memory back when it ends, and in which libtorch and ONNX Runtime each have the cuDNN of
/// their own CUDA.
/// </summary>
/// <param name="error">Where its progress goes.</param>
internal sealed class CommandProcess(TextWriter error) : ILoopCommand
{
    private const int Terminate = 15;

    /// <inheritdoc/>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        ProcessStartInfo start = OwnProgram.Start(arguments);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("The stage's process did not start.");
        Task[] copies = [CopyAsync(process.StandardOutput, output), CopyAsync(process.StandardError, error)];
        await using (cancel.Register(() => End(process)))
        {
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        await Task.WhenAll(copies).ConfigureAwait(false);
        return process.ExitCode;
    }

    private static async Task CopyAsync(StreamReader from, TextWriter to)
    {
        while (await from.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            to.WriteLine(line);
        }
    }

    // A command that is told to end keeps its state first.
    private static void End(Process process)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                process.Kill(entireProcessTree: true);
            }
            else
            {
                _ = Signal(process.Id, Terminate);
            }
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);
}
