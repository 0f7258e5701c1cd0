using System.Diagnostics;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd</c> as a process of its own, which is killed at some moment.</summary>
internal static class KilledProcess
{
    /// <summary>The exit code of one that was killed: 128, and the number of SIGKILL.</summary>
    public const int Killed = 137;

    /// <summary>Runs a command to its end, or to a moment at which it is killed.</summary>
    /// <param name="arguments">The command.</param>
    /// <param name="killAt">Asked without a pause whether the moment has come; null is never.</param>
    /// <param name="environment">Variables that it is given.</param>
    public static async Task<(int ExitCode, string Error)> RunAsync(
        IEnumerable<string> arguments, Func<bool>? killAt, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new("dotnet", [typeof(DsdCli).Assembly.Location, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
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
        return (process.ExitCode, await error);
    }
}
