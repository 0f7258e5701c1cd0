namespace Dsd.Tools.Loop;

/// <summary>How a stage's command is run.</summary>
internal interface ILoopCommand
{
    /// <summary>Runs a command line to its end.</summary>
    /// <param name="arguments">The command line, without the program's name.</param>
    /// <param name="output">Told what the command writes as its result.</param>
    /// <param name="cancel">Stops it, as Ctrl-C does.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancel);
}
