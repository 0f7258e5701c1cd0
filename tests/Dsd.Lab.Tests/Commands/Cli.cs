using Dsd.Testing;

namespace Dsd.Lab.Tests.Commands;

/// <summary>Runs the lab's command line in this process.</summary>
internal static class Cli
{
    public static async Task<CliResult> Run(params string[] args)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int exitCode = await LabCli.Program.RunAsync(args, output, error);
        return new CliResult("dsd-lab", exitCode, output.ToString(), error.ToString());
    }
}
