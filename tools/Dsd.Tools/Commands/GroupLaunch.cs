using System.CommandLine;
using Dsd.Models.Training.Parallel;

namespace Dsd.Tools.Commands;

/// <summary>A command in several processes of this machine, one a GPU.</summary>
internal static class GroupLaunch
{
    /// <summary>Runs the same command in a process for each GPU, but for the option <c>--gpus</c>, and waits for all.</summary>
    /// <param name="terminal">Where it tells of an end with an error.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="count">Processes.</param>
    /// <param name="device">The device that was asked for.</param>
    /// <param name="json">Whether this process writes their result as JSON.</param>
    /// <param name="cancel">Ends them.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="UsageException">There is no GPU for each, or this is one of such processes.</exception>
    public static async Task<int> RunAsync(Terminal terminal, ParseResult parsed, int count, string device, bool json, CancellationToken cancel)
    {
        if (device != "cuda")
        {
            throw new UsageException($"'--gpus' needs '--device cuda', and each process takes a GPU of its own, but '--device' is {device}.");
        }
        if (TrainingGroupOptions.FromEnvironment() is not null)
        {
            throw new UsageException("'--gpus' starts processes, but torchrun's variables say that this is one of them already: leave it out.");
        }
        List<string> arguments = [];
        for (int i = 0; i < parsed.Tokens.Count; i++)
        {
            if (parsed.Tokens[i].Value == "--gpus")
            {
                i++;
                continue;
            }
            if (!json || parsed.Tokens[i].Value != "--json")
            {
                arguments.Add(parsed.Tokens[i].Value);
            }
        }
        // An options file may ask for them too, and the command line goes before it.
        arguments.AddRange(["--gpus", "1"]);
        ParallelResult result = await new ParallelLauncher { Count = count, Arguments = arguments, Output = json ? terminal.Output : null }.RunAsync(cancel);
        if (result.ExitCode != 0)
        {
            terminal.Fail(result.Message);
        }
        return result.ExitCode;
    }
}
