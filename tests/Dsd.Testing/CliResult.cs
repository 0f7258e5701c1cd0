using Xunit;

namespace Dsd.Testing;

/// <summary>What a command line came to.</summary>
/// <param name="Program">The program's name.</param>
/// <param name="ExitCode">What it returned.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
public sealed record CliResult(string Program, int ExitCode, string Output, string Error)
{
    /// <summary>Asserts a failure with one line on standard error that holds all that is expected, and nothing on standard output.</summary>
    public void AssertFails(int exitCode, params string[] expected)
    {
        Assert.True(exitCode == ExitCode, $"Exit code {ExitCode}: {Error}");
        string line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"{Program}: ", line, StringComparison.Ordinal);
        Assert.All(expected, part => Assert.Contains(part, line, StringComparison.Ordinal));
        Assert.Empty(Output);
    }
}
