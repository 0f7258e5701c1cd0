namespace Dsd.Runs;

/// <summary>What an <see cref="AxesRun"/> has done.</summary>
/// <param name="Scored">Pairs that were scored.</param>
/// <param name="Unreadable">Pairs on which no answer could be read. The next run asks again.</param>
/// <param name="Failed">Pairs that failed and are left for the next run.</param>
/// <param name="Known">Pairs that had scores already.</param>
public sealed record AxesProgress(long Scored, long Unreadable, long Failed, long Known);
