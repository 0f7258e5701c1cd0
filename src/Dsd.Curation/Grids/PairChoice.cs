namespace Dsd.Curation.Grids;

/// <summary>Which panels of a grid make a pair of reference and target. A pair is judged once, whichever way round.</summary>
public enum PairChoice
{
    /// <summary>Each two panels twice, each once as the reference of the other.</summary>
    Ordered,

    /// <summary>Each two panels once, the earlier as the reference.</summary>
    Unordered,

    /// <summary>The first panel is the reference of each other one.</summary>
    FirstToRest,
}
