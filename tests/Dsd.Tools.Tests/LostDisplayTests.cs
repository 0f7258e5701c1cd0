using System.Diagnostics;
using System.Globalization;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary>
/// Processes whose standard streams are full, closed, or a terminal that goes away. What they do goes on; shells and terminals of Linux are needed to
/// see it.
/// </summary>
public sealed class LostDisplayTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    [InlineData("2>&- <&-")]
    [InlineData("2</dev/null")]
    public async Task Generate_WithoutAStandardError_DrawsAndSaysWhere(string streams)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using Process process = Start(streams, Generate(2));

        Assert.Equal((0, Picture + "\n"), await EndAsync(process));
        Assert.True(File.Exists(Picture));
    }

    [Fact]
    public async Task Generate_WhoseStandardErrorNobodyReads_Draws()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using Process process = Start("", Generate(2), redirectError: true);
        process.StandardError.Close();

        Assert.Equal((0, Picture + "\n"), await EndAsync(process));
        Assert.True(File.Exists(Picture));
    }

    [Theory]
    [InlineData(">/dev/full", "No space left on device")]
    [InlineData(">&-", "Bad file descriptor")]
    [InlineData(">&- <&-", "Bad file descriptor")]
    [InlineData(">/dev/full 2>/dev/full", "")]
    [InlineData(">&- 2>&- <&-", "")]
    public async Task AResultThatCannotBeWritten_IsAFailure_AndTheFileIsThere(string streams, string why)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using Process process = Start(streams, Generate(1), redirectError: true);
        Task<string> error = process.StandardError.ReadToEndAsync();

        Assert.Equal((1, ""), await EndAsync(process));
        Assert.Contains(why, await error, StringComparison.Ordinal);
        Assert.True(File.Exists(Picture));
    }

    [Fact]
    public async Task AResultThatNobodyReads_IsAFailure()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using Process process = Start("", Generate(1), redirectError: true);
        process.StandardOutput.Close();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(1, process.ExitCode);
        Assert.Contains("Cannot write to standard output: Broken pipe", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATerminalThatIsClosed_DoesNotEndTheDrawing()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using PseudoTerminal terminal = new();
        // The leader of a session without a terminal, which becomes the terminal's owner by opening it to read and write: closing it sends SIGHUP.
        using Process process = Start($"2<>{terminal.Path}", Generate(200), session: true);
        terminal.WaitFor("drawing: step");
        terminal.Dispose();

        Assert.Equal((0, Picture + "\n"), await EndAsync(process));
        Assert.True(File.Exists(Picture));
    }

    [Fact]
    public async Task ATerminalThatIsClosed_TakesTheResultWithIt_ButNotThePicture()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using PseudoTerminal terminal = new();
        using Process process = Start($"0<>{terminal.Path} 1<>{terminal.Path} 2<>{terminal.Path}", Generate(200), session: true);
        terminal.WaitFor("drawing: step");
        terminal.Dispose();

        Assert.Equal((1, ""), await EndAsync(process));
        Assert.True(File.Exists(Picture));
    }

    [Fact]
    public async Task AReview_EndsWithItsTerminal()
    {
        // Tests under nohup hand its deafness down, and a review heeds it.
        if (!OperatingSystem.IsLinux() || IgnoresHangup())
        {
            return;
        }
        Assert.Equal(0, (await Cli.Run("curate", "run", "--captions", "tiny", "--count", "1", "--steps", "1", "--out", _folder.File("run"))).ExitCode);
        using PseudoTerminal terminal = new();
        using Process process = Start($"1<>{terminal.Path} 2<>{terminal.Path}", ["review", _folder.File("run"), "--no-browser"], session: true);
        terminal.WaitFor("Ctrl-C ends the review.");
        terminal.Dispose();

        Assert.Equal((0, ""), await EndAsync(process));
    }

    private static bool IgnoresHangup() =>
        File.ReadLines("/proc/self/status")
            .Any(l => l.StartsWith("SigIgn:", StringComparison.Ordinal)
                && (ulong.Parse(l[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) != 0);

    private string Picture => _folder.File("picture.png");

    private string[] Generate(int steps) => ["generate", "--model", "tiny", "--prompt", "a fox", "--steps", $"{steps}", "--out", Picture];

    private static Process Start(string streams, string[] args, bool redirectError = false, bool session = false)
    {
        string[] shell = ["/bin/sh", "-c", $"exec dotnet \"$0\" \"$@\" {streams}", typeof(DsdCli).Assembly.Location, .. args];
        ProcessStartInfo start = session ? new("setsid", shell) : new(shell[0], shell[1..]);
        (start.RedirectStandardOutput, start.RedirectStandardInput, start.RedirectStandardError) = (true, true, redirectError);
        (start.Environment["TERM"], start.Environment["OMP_NUM_THREADS"]) = ("xterm-256color", "1");
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Output)> EndAsync(Process process)
    {
        using CancellationTokenSource patience = new(Patience);
        string output = await process.StandardOutput.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, output);
    }
}
