using System.Diagnostics;
using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public class ProcessTests
{
    [Fact]
    public async Task Program_ReturnsTheExitCodeAndWritesToStandardError()
    {
        ProcessStartInfo start = new("dotnet", [typeof(DsdCli).Assembly.Location, "inspect", "/nowhere/model.safetensors"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        new CliResult("dsd", process.ExitCode, await output, error).AssertFails(ExitCode.Failed, "/nowhere/model.safetensors");
    }
}
