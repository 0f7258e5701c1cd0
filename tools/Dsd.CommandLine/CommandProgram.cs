using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using System.Text;
using Dsd.CommandLine.Options;
using Dsd.Common.Files;

namespace Dsd.CommandLine;

/// <summary>A program with commands: parses its arguments, runs a command, and turns whatever it throws into one line and an exit code.</summary>
/// <param name="name">The program's name, as it is typed.</param>
/// <param name="commands">Makes all commands, which write to a terminal.</param>
public sealed class CommandProgram(string name, Func<Terminal, RootCommand> commands)
{
    // How long a command may take to clean up after Ctrl-C. A step of a large model can last that long.
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(30);

    /// <summary>Runs the process's command line on its standard streams.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public async Task<int> RunProcessAsync(string[] args)
    {
        using GuardedWriter output = new(Writer(StandardStream.Output()), !Console.IsOutputRedirected, endsWithFault: true);
        using GuardedWriter error = new(Writer(StandardStream.Error()), !Console.IsErrorRedirected);
        // Libraries that write by themselves fail as quietly; what they say is no result.
        Console.SetOut(new GuardedWriter(Writer(StandardStream.Output())));
        Console.SetError(error);
        // A terminal that is closed ends nothing: docs/command-line.md. Windows leaves no choice.
        using PosixSignalRegistration? hangup = OperatingSystem.IsWindows()
            ? null
            : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        // A run that was killed may have left much in the temporary folder, such as an export of many gigabytes.
        ScratchFolder.RemoveAbandoned();
        return await RunAsync(args, output, error);
    }

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where progress, warnings and errors go.</param>
    /// <param name="cancellationToken">Stops the command, as Ctrl-C does.</param>
    /// <param name="isWithin">Whether another command of this process runs it, which then is the one to be told of Ctrl-C.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default, bool isWithin = false)
    {
        GuardedWriter results = GuardedWriter.Around(output, endsWithFault: true);
        GuardedWriter messages = GuardedWriter.Around(error, endsWithFault: false);
        Terminal terminal = new(name, results, messages);
        Option<bool> verbose = new("--verbose") { Description = "After an error, show where it came from.", Recursive = true };
        RootCommand root = Commands(terminal);
        root.Options.Add(verbose);
        ParseResult parsed = root.Parse(args, Parser());
        if (parsed.Errors.Count > 0)
        {
            terminal.Fail($"{Message(parsed.Errors.MinBy(Rank)!)} See '{PathOf(parsed.CommandResult)} --help'.");
            return ExitCode.WrongUse;
        }
        try
        {
            InvocationConfiguration invocation = new()
            {
                Output = results,
                Error = messages,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = isWithin ? null : CleanUp,
            };
            int exitCode = await parsed.InvokeAsync(invocation, cancellationToken);
            results.Flush();
            if (results.Fault is { } fault)
            {
                string why = ErrorText.OneLine(fault).TrimEnd('.');
                terminal.Fail(ErrorText.Sentence($"Cannot write to standard output: {why}. What the command wrote to files is there"));
            }
            return results.Fault is null ? exitCode : ExitCode.Failed;
        }
        catch (Exception e)
        {
            // The exception inside a usage error says the same with the library's names: it is left out.
            string message = e is OperationCanceledException ? "Cancelled." : e is UsageException ? ErrorText.Sentence(e.Message) : ErrorText.OneLine(e);
            terminal.Fail(e is UsageException ? $"{message} See '{PathOf(parsed.CommandResult)} --help'." : message);
            if (parsed.GetValue(verbose))
            {
                messages.WriteLine(e);
            }
            return e is UsageException ? ExitCode.WrongUse : ExitCode.Failed;
        }
    }

    /// <summary>Parses a command line without running it.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <returns>What is wrong with it, the cause of the rest first, and the option where it is one's; empty where it can be run.</returns>
    public IReadOnlyList<(string? Option, string Message)> Check(IReadOnlyList<string> args) =>
    [
        .. Commands(Terminal.Nowhere(name)).Parse(args, Parser()).Errors.OrderBy(Rank).Select(e => (OptionOf(e), Message(e))),
    ];

    /// <summary>A command by its words.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public Command Find(IReadOnlyList<string> path) =>
        path.Aggregate((Command)Commands(Terminal.Nowhere(name)), (command, word) => command.Subcommands.First(c => c.Name == word));

    /// <summary>All commands, with the rules that hold for every option.</summary>
    public RootCommand Commands(Terminal terminal)
    {
        RootCommand root = commands(terminal);
        StrictOptions.Apply(root);
        return root;
    }

    // Prompts may begin with '@', which would otherwise name a file of arguments, and nothing here needs bundled letters.
    private static ParserConfiguration Parser() => new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    private static StreamWriter Writer(Stream stream) =>
        new(stream, Console.OutputEncoding is UTF8Encoding ? new UTF8Encoding(false) : Console.OutputEncoding) { AutoFlush = true };

    /// <summary>Of several errors the one behind the others: a mistyped option is missing as well, and its value one too many.</summary>
    private static int Rank(ParseError error) =>
        error.Message.Contains(StrictOptions.ReadsLikeOption, StringComparison.Ordinal) ? 0
        : error.Message.StartsWith("Unrecognized", StringComparison.Ordinal) ? 1
        : 2;

    /// <summary>The message, with the option that it is about where the parser only names the value.</summary>
    private static string Message(ParseError error)
    {
        string message = ErrorText.Sentence(error.Message);
        string? option = OptionOf(error);
        return option is null || message.Contains(option, StringComparison.Ordinal) ? message : $"Option '{option}': {message}";
    }

    private static string? OptionOf(ParseError error) => (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult)?.Option.Name;

    private string PathOf(CommandResult command) => command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : name;
}
