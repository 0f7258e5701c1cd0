using Dsd.Common.Options;

namespace Dsd.Lab.Training;

/// <summary>The teacher's stage.</summary>
internal sealed record TeacherStageConfig : StageConfig
{
    /// <summary>Double-stream blocks.</summary>
    public required int DoubleLayers { get; init; }

    /// <summary>Single-stream blocks.</summary>
    public required int SingleLayers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Channels a head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Channels of a head for each of the three position axes.</summary>
    public required IReadOnlyList<int> RopeAxes { get; init; }

    /// <summary>The share of grids, in-context ones apart, whose panels do not all show the same subject, 0…1.</summary>
    public required double InconsistentShare { get; init; }

    /// <summary>Pairs that are kept as latents at a time, beside half as many single pictures and a quarter as many quads.</summary>
    public required int Pool { get; init; }

    /// <summary>Steps after which the pictures are drawn anew.</summary>
    public required int PoolSteps { get; init; }

    /// <summary>Share of examples that are trained with an empty prompt, so that guidance has something to push away from.</summary>
    public required double CaptionDropout { get; init; }

    /// <summary>Weight of representation alignment with the judge's features beside the flow's loss; 0 is none.</summary>
    public required double AlignmentWeight { get; init; }

    /// <summary>The block, from 1, after which hidden states are aligned, and the subjects told from them.</summary>
    public required int AlignmentBlock { get; init; }

    /// <summary>Weight of telling each panel's subject from the hidden states, beside the flow's loss; 0 is none.</summary>
    public required double ReadingWeight { get; init => field = OptionCheck.Range(value, 0, 10, nameof(ReadingWeight)); }

    /// <summary>How much the places count together that tell the subject's attributes apart, where a whole panel counts 1; 0 is none.</summary>
    public required double DetailWeight { get; init => field = OptionCheck.Range(value, 0, 10, nameof(DetailWeight)); }

    /// <summary>Grids that teach to look across panels.</summary>
    public required InContextConfig InContext { get; init; }

    /// <summary>Steps after which it is measured how far the teacher looks across, again and again; 0 is never.</summary>
    public required int LookSteps { get; init => field = OptionCheck.Range(value, 0, int.MaxValue, nameof(LookSteps)); }

    /// <summary>Held-out subjects that are looked at then.</summary>
    public required int LookSubjects { get; init => field = OptionCheck.Range(value, 2, 10_000, nameof(LookSubjects)); }
}
