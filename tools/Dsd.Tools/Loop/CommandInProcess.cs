namespace Dsd.Tools.Loop;

/// <summary>Runs a command in this process.</summary>
/// <param name="program">The program whose command it is.</param>
/// <param name="error">Where its progress goes.</param>
internal sealed class CommandInProcess(CommandProgram program, TextWriter error) : ILoopCommand
{
    /// <inheritdoc/>
    public Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancel) =>
        program.RunAsync([.. arguments], output, error, cancel, isWithin: true);
}
