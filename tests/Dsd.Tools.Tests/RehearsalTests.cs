using System.Diagnostics;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary>
/// <c>samples/loop/rehearsal.sh</c> at the embedded model's size: random weights, a judge over HTTP, each stage in a process, one interruption.
/// </summary>
public sealed class RehearsalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [LinuxFact]
    [Trait("Category", "Long")]
    public async Task Rehearsal_OnTheCpu_IsInterruptedAndComesToAPicture()
    {
        ProcessStartInfo start = new("bash", [Path.Combine(Fixtures.Repository, "samples", "loop", "rehearsal.sh"), "--work", _folder.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DSD"] = $"dotnet {typeof(DsdCli).Assembly.Location}";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        string log = File.ReadAllText(_folder.File("log.txt"));
        Assert.True(process.ExitCode == 0, $"{await output}{await error}{log}");
        Assert.Contains("training: goes on from step", log, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("results", "generate", "star.png")));
    }
}
