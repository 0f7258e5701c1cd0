namespace Dsd.Curation.Judging;

/// <summary>Whether a judge came to a verdict.</summary>
public enum VerdictStatus
{
    /// <summary>The judge's answer was read.</summary>
    Decided,

    /// <summary>The judge's answers could not be read, the repeated one included. Such a pair is never kept.</summary>
    Undecided,
}
