using System.CommandLine;
using System.CommandLine.Parsing;
using Dsd.Tools.Commands;

namespace Dsd.Tools;

/// <summary>The whole command line: parses, runs a command, and turns whatever it throws into one line and an exit code.</summary>
internal static class DsdCli
{
    // How long a command may take to clean up after Ctrl-C. A step of a large model can last that long.
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(30);

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where progress, warnings and errors go.</param>
    /// <param name="cancellationToken">Stops the command, as Ctrl-C does.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        GuardedWriter results = GuardedWriter.Around(output, endsWithFault: true);
        GuardedWriter messages = GuardedWriter.Around(error, endsWithFault: false);
        Terminal terminal = new(results, messages);
        Option<bool> verbose = new("--verbose") { Description = "After an error, show where it came from.", Recursive = true };
        RootCommand root = Commands(terminal, verbose);
        // Prompts may begin with '@', which would otherwise name a file of arguments, and nothing here needs bundled letters.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            terminal.Fail($"{Message(parsed.Errors.MinBy(Rank)!)} See '{Words(parsed.CommandResult)} --help'.");
            return ExitCode.WrongUse;
        }
        try
        {
            InvocationConfiguration invocation = new()
            {
                Output = results,
                Error = messages,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = CleanUp,
            };
            int exitCode = await parsed.InvokeAsync(invocation, cancellationToken);
            results.Flush();
            if (results.Fault is { } fault)
            {
                terminal.Fail(ErrorText.Sentence($"Cannot write to standard output: {ErrorText.OneLine(fault).TrimEnd('.')}. What the command wrote to files is there"));
            }
            return results.Fault is null ? exitCode : ExitCode.Failed;
        }
        catch (Exception e)
        {
            // What a wrong use was found by has the library's words for the same.
            string message = e is OperationCanceledException ? "Cancelled." : e is UsageException ? ErrorText.Sentence(e.Message) : ErrorText.OneLine(e);
            terminal.Fail(e is UsageException ? $"{message} See '{Words(parsed.CommandResult)} --help'." : message);
            if (parsed.GetValue(verbose))
            {
                messages.WriteLine(e);
            }
            return e is UsageException ? ExitCode.WrongUse : ExitCode.Failed;
        }
    }

    /// <summary>All commands.</summary>
    internal static RootCommand Commands(Terminal terminal, Option<bool> verbose)
    {
        RootCommand root = new("Diffusion Self-Distillation: look into models, export them to ONNX, and draw pictures with them.")
        {
            verbose,
            InspectCommand.Create(terminal),
            ExportCommand.Create(terminal),
            GenerateCommand.Create(terminal),
            DatasetCommand.Create(terminal),
            ReviewCommand.Create(terminal),
            TinyCommand.Create(terminal),
            CurateCommand.Create(terminal),
            BenchCommand.Create(terminal),
        };
        StrictOptions.Apply(root);
        return root;
    }

    /// <summary>Of several errors the one behind the others: a mistyped option is missing as well, and its value one too many.</summary>
    private static int Rank(ParseError error) =>
        error.Message.Contains(StrictOptions.ReadsLikeOption, StringComparison.Ordinal) ? 0 : error.Message.StartsWith("Unrecognized", StringComparison.Ordinal) ? 1 : 2;

    /// <summary>The message, with the option that it is about where the parser only names the value.</summary>
    private static string Message(ParseError error)
    {
        string message = ErrorText.Sentence(error.Message);
        string? option = (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult)?.Option.Name;
        return option is null || message.Contains(option, StringComparison.Ordinal) ? message : $"Option '{option}': {message}";
    }

    private static string Words(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{Words(parent)} {command.Command.Name}" : "dsd";
}
