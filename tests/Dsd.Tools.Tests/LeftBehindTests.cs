using System.Diagnostics;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public class LeftBehindTests
{
    [Fact]
    public async Task Program_RemovesWhatAKilledOneLeftInTheTemporaryFolder()
    {
        using TemporaryFolder temporary = new();
        string left = temporary.File("dsd-onnx-abcdef");
        Directory.CreateDirectory(Path.Combine(left, "models"));
        File.WriteAllText(Path.Combine(left, ".dsd-in-use"), "");
        ProcessStartInfo start = new("dotnet", [typeof(DsdCli).Assembly.Location, "--version"]) { RedirectStandardOutput = true };
        start.Environment[OperatingSystem.IsWindows() ? "TMP" : "TMPDIR"] = temporary.Path;

        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync();

        Assert.Equal(0, process.ExitCode);
        Assert.False(Directory.Exists(left));
    }
}
