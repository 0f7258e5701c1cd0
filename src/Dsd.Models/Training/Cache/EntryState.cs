namespace Dsd.Models.Training.Cache;

/// <summary>Whether an entry can be used.</summary>
internal enum EntryState
{
    /// <summary>There is none.</summary>
    Missing,

    /// <summary>There is one, as it was written.</summary>
    Whole,

    /// <summary>There is one that is cut off, changed, or another's.</summary>
    Damaged,
}
