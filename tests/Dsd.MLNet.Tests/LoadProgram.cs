using System.Diagnostics;

namespace Dsd.MLNet.Tests;

/// <summary>Runs <c>Dsd.MLNet.LoadApp</c>, a program of its own that loads saved models.</summary>
internal static class LoadProgram
{
    /// <summary>Runs it in this process's folder.</summary>
    public static string[] Run(params IReadOnlyList<string> arguments) => RunIn(Environment.CurrentDirectory, arguments);

    /// <summary>Runs it in a folder that relative paths begin at.</summary>
    /// <returns>The lines that it writes.</returns>
    public static string[] RunIn(string folder, params IReadOnlyList<string> arguments) => RunIn(folder, new Dictionary<string, string?>(), arguments);

    /// <summary>Runs it in a folder that relative paths begin at, with environment variables of its own.</summary>
    /// <returns>The lines that it writes.</returns>
    public static string[] RunIn(string folder, IReadOnlyDictionary<string, string?> environment, params IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Dsd.MLNet.LoadApp.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
