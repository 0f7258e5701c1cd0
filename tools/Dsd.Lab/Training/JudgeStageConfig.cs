using Dsd.Common.Options;

namespace Dsd.Lab.Training;

/// <summary>The stage that trains the judge.</summary>
internal sealed record JudgeStageConfig : StageConfig
{
    /// <summary>
    /// Grids that the teacher draws over for the judge to learn from, 0 to 100,000; half of a step's examples are their panels. 0, the default, shows it
    /// drawings alone, and needs no teacher.
    /// </summary>
    public int Redrawn { get; init => field = OptionCheck.Range(value, 0, 100_000, nameof(Redrawn)); }

    /// <summary>Sampling steps of those grids, 1 to 1000. Default 12.</summary>
    public int RedrawnSteps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(RedrawnSteps)); } = 12;

    /// <summary>The noise level from which the teacher takes over is drawn between this and <see cref="RedrawnMost"/>, 0…1. Default 0.3.</summary>
    public double RedrawnLeast { get; init => field = OptionCheck.Range(value, 0, 1, nameof(RedrawnLeast)); } = 0.3;

    /// <summary>See <see cref="RedrawnLeast"/>; 0…1, default 0.7. The more noise, the more of the picture is the teacher's, its mistakes too.</summary>
    public double RedrawnMost { get; init => field = OptionCheck.Range(value, 0, 1, nameof(RedrawnMost)); } = 0.7;
}
