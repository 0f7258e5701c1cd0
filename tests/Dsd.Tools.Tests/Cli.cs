using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

/// <summary>Runs the command line in this process.</summary>
internal static class Cli
{
    public static async Task<CliResult> Run(params string[] args)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int exitCode = await DsdCli.Program.RunAsync(args, output, error);
        return new CliResult("dsd", exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command that must succeed and write one JSON object.</summary>
    public static async Task<JsonElement> Json(params string[] args)
    {
        CliResult result = await Run([.. args, "--json"]);
        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using JsonDocument document = JsonDocument.Parse(result.Output);
        return document.RootElement.Clone();
    }
}
