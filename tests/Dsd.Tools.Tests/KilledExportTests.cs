using System.Diagnostics;
using Dsd.CommandLine;
using Dsd.Models.Weights;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd export</c> as a process that is killed at some moment: never is there a folder that looks whole and is not.</summary>
public sealed class KilledExportTests : IDisposable
{
    // Of SIGKILL: 128 + 9.
    private const int Killed = 137;

    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("onnx");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("transformer")]
    [InlineData("vae_decoder")]
    [InlineData("tokenizer_2")]
    public async Task AnExportThatIsKilled_LeavesNothingThatOpens_AndTheNextOneTidiesUp(string begun)
    {
        Assert.Equal(Killed, await RunAsync(killAt: () => Half(begun)));

        Assert.False(Directory.Exists(Target));
        // The half is there, or the moment would not have been one within the writing; it does not open either.
        string half = Path.Combine(Assert.Single(Directory.GetDirectories(_folder.Path)), "content");
        Assert.True(Directory.Exists(Path.Combine(half, begun)));
        Assert.Throws<WeightsException>(() => OnnxModelFolder.Open(half));
        Assert.Equal(ExitCode.Done, await RunAsync());
        Assert.Equal([Target], Directory.EnumerateFileSystemEntries(_folder.Path));
        OnnxModelFolder.Open(Target).CheckHashes();
    }

    [Fact]
    public async Task AnExportThatIsKilledOverAnEarlierOne_LeavesTheEarlierOneWhole()
    {
        Assert.Equal(ExitCode.Done, await RunAsync());
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(Target, "dsd.json"));

        Assert.Equal(Killed, await RunAsync(killAt: () => Half("vae_encoder"), "--overwrite"));

        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(Target, "dsd.json")));
        OnnxModelFolder.Open(Target).CheckHashes();
    }

    /// <summary>Whether a part of the export has begun.</summary>
    private bool Half(string component) =>
        Directory.EnumerateDirectories(_folder.Path, "onnx.part-*").Any(d => Directory.Exists(Path.Combine(d, "content", component)));

    private async Task<int> RunAsync(Func<bool>? killAt = null, params string[] more)
    {
        ProcessStartInfo start = new(
            "dotnet", [typeof(DsdCli).Assembly.Location, "export", "--model", Fixtures.Own("tiny-flux"), "--out", Target, .. more])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        // Its pipe would stay where the process is killed.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> told = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        // Moments are short: a thread of its own looks without a pause.
        await Task.Factory.StartNew(
            () =>
            {
                while (killAt is not null && !process.HasExited)
                {
                    if (killAt())
                    {
                        process.Kill();
                        return;
                    }
                    Thread.Yield();
                }
            },
            TaskCreationOptions.LongRunning);
        await process.WaitForExitAsync();
        await told;
        await error;
        return process.ExitCode;
    }
}
