using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Dsd.MLNet.Tests.Packages;

/// <summary>The <c>dotnet</c> command in a process of its own.</summary>
internal static partial class DotnetCommand
{
    public static (int Code, string Output) Run(string folder, params IEnumerable<string> arguments) =>
        Run(folder, new Dictionary<string, string?>(), arguments);

    /// <param name="folder">Where it runs.</param>
    /// <param name="settings">Environment variables beside those of this process; null takes one away.</param>
    /// <param name="arguments">Its arguments.</param>
    public static (int Code, string Output) Run(string folder, IReadOnlyDictionary<string, string?> settings, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The test host's own settings must not reach another build: where MSBuild and the SDK lie, and what they were told.
        foreach (string name in start.Environment.Keys.Where(k => OfTheHost().IsMatch(k)).ToArray())
        {
            start.Environment.Remove(name);
        }
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        foreach ((string name, string? value) in settings)
        {
            start.Environment[name] = value;
        }
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, $"dotnet {string.Join(' ', start.ArgumentList)}\n{output}{errors.Result}");
    }

    [GeneratedRegex("^(MSBUILD|VSTEST|DOTNET_HOST|TESTINGPLATFORM)", RegexOptions.IgnoreCase)]
    private static partial Regex OfTheHost();
}
