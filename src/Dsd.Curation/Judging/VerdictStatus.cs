namespace Dsd.Curation.Judging;

/// <summary>Whether a judge came to a verdict, or was not asked.</summary>
public enum VerdictStatus
{
    /// <summary>The judge's answer was read.</summary>
    Decided,

    /// <summary>The judge's answers could not be read, the repeated one included. Such a pair is never kept.</summary>
    Undecided,

    /// <summary>The judge was not asked: the pictures are less alike than <see cref="GateBounds.Least"/>. Such a pair is never kept.</summary>
    TooDifferent,

    /// <summary>The judge was not asked: the pictures are more alike than <see cref="GateBounds.Most"/>. Such a pair is never kept.</summary>
    NearCopy,
}
