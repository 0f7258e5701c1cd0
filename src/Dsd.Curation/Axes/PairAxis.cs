namespace Dsd.Curation.Axes;

/// <summary>By what a pair is scored, each from 0 to 4.</summary>
public enum PairAxis
{
    /// <summary>Whether both pictures show the very same subject, taken as a whole.</summary>
    ObjectConsistency,

    /// <summary>The lowest score of the subject's parts: 4 only where no part differs, which is UNO's rule.</summary>
    LowestPart,

    /// <summary>Whether both pictures are clear and free of damage and impossible forms.</summary>
    ImageQuality,

    /// <summary>Whether each picture stands alone, whole and not cut off, and they are no copies of each other.</summary>
    Composition,

    /// <summary>Whether each picture shows what its caption says.</summary>
    PromptAdherence,
}
