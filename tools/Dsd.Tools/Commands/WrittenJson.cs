using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.Json;

namespace Dsd.Tools.Commands;

/// <summary><c>--json</c> of commands whose result is what they wrote: one object with the paths, in place of a line for each.</summary>
internal static class WrittenJson
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    // Their result is the path, or the paths, of what they wrote.
    private static readonly string[] Paths = ["export", "merge", "generate", "dataset write", "dataset preferences", "curate survival", "bench model"];

    // They write their object themselves, where they would have written a summary.
    private static readonly string[] Summaries = ["curate run", "curate serve", "curate merge", "curate axes"];

    /// <summary>Commands without it, and why.</summary>
    public static IReadOnlyDictionary<string, string> Without { get; } = new Dictionary<string, string>
    {
        ["bench flux"] = "its '--json' names a file",
        ["bench generate"] = "its '--json' names a file",
        ["bench train"] = "its '--json' names a file",
        ["bench curation"] = "its '--json' names a file",
        ["bench curation-server"] = "it writes an address, and answers until it is ended",
        ["completion"] = "its result is a script for a shell",
        ["curate work"] = "its results are with 'dsd curate serve'",
        ["review"] = "it writes an address, and serves until it is ended",
        ["serve"] = "it writes an address, and serves until it is ended",
    };

    /// <summary>Gives the option to the commands.</summary>
    public static void AddTo(RootCommand root, Terminal terminal)
    {
        foreach (string path in Paths)
        {
            Add(Find(root, path), terminal, "Write the paths that were written as one JSON object.", keeps: true);
        }
        foreach (string path in Summaries)
        {
            Add(Find(root, path), terminal, "Write the summary as one JSON object.", keeps: false);
        }
    }

    /// <summary>Writes the object of a command whose lines were kept, where it succeeded.</summary>
    public static void Write(Terminal terminal, ParseResult parsed, int exitCode)
    {
        if (terminal.Kept() is { Count: > 0 } lines && exitCode == ExitCode.Done)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new { command = parsed.CommandResult.Command.Name, written = lines }, Json));
        }
    }

    private static Command Find(Command root, string path) =>
        path.Split(' ').Aggregate(root, (command, word) => command.Subcommands.First(c => c.Name == word));

    private static void Add(Command command, Terminal terminal, string description, bool keeps)
    {
        Option<bool> json = new("--json") { Description = description };
        command.Options.Add(json);
        AsynchronousCommandLineAction action = (AsynchronousCommandLineAction)command.Action!;
        command.SetAction(async (parsed, cancel) =>
        {
            if (!parsed.GetValue(json))
            {
                return await action.InvokeAsync(parsed, cancel);
            }
            terminal.AsJson = true;
            if (keeps)
            {
                terminal.Keep();
            }
            int exitCode = await action.InvokeAsync(parsed, cancel);
            if (keeps)
            {
                Write(terminal, parsed, exitCode);
            }
            return exitCode;
        });
    }
}
