namespace Dsd.Evaluation.Agreement;

/// <summary>What the difference of two ratings means.</summary>
public enum MeasurementLevel
{
    /// <summary>Ratings are the same or not.</summary>
    Nominal,

    /// <summary>Ratings have an order; how far apart two are depends on how many ratings lie between them.</summary>
    Ordinal,

    /// <summary>Ratings are numbers whose difference counts, squared.</summary>
    Interval,
}
