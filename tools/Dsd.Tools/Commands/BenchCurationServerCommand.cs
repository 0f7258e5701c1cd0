using System.CommandLine;
using Dsd.Tools.Serving;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench curation-server</c>: the server that <c>dsd bench curation</c> asks, until standard input ends. Not listed.</summary>
internal static class BenchCurationServerCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<double> latency = new Option<double>("--latency") { Description = "Milliseconds that each answer takes." }.Between(0, 600_000);
        Command command = new("curation-server", "Answer as a judge on loopback until standard input ends.") { latency };
        command.Hidden = true;
        command.SetAction(async (parsed, cancel) =>
        {
            await using ChatServer server = await ChatServer.StartAsync(new ChatServerOptions
            {
                Answer = Verdicts.Fixed(),
                Latency = TimeSpan.FromMilliseconds(parsed.GetValue(latency)),
                Keeps = false,
            });
            terminal.Output.WriteLine(server.Address);
            terminal.Output.Flush();
            await Console.OpenStandardInput().CopyToAsync(Stream.Null, cancel);
            return ExitCode.Done;
        });
        return command;
    }
}
