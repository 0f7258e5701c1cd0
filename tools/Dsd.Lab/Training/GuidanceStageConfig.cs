namespace Dsd.Lab.Training;

/// <summary>The stage that distils guidance.</summary>
internal sealed record GuidanceStageConfig : StageConfig
{
    /// <summary>Smallest guidance that is distilled.</summary>
    public required float Least { get; init; }

    /// <summary>Largest guidance that is distilled.</summary>
    public required float Most { get; init; }
}
