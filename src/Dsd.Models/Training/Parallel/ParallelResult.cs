namespace Dsd.Models.Training.Parallel;

/// <summary>How the processes of a <see cref="ParallelLauncher"/> ended.</summary>
/// <param name="ExitCode">0 if all ended well, otherwise that of the first that did not; 137 is one that was killed with signal 9, as the shell has it.</param>
/// <param name="Rank">The first that did not end well; null if all did.</param>
/// <param name="Message">A line for the user that names the rank; empty if all ended well.</param>
public sealed record ParallelResult(int ExitCode, int? Rank, string Message);
