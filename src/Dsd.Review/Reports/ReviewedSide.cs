namespace Dsd.Review.Reports;

/// <summary>Which of a judge's pairs people looked at. Recall and F1 need both sides: who only looks at what was kept never finds what was missed.</summary>
public enum ReviewedSide
{
    /// <summary>None.</summary>
    None,

    /// <summary>Only pairs that the judge kept.</summary>
    KeptOnly,

    /// <summary>Only pairs that the judge did not keep.</summary>
    LeftOnly,

    /// <summary>Some of both.</summary>
    Both,
}
