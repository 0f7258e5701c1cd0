using Dsd.Common.Options;

namespace Dsd.Lab.Training;

/// <summary>The student's stage.</summary>
internal sealed record StudentStageConfig : StageConfig
{
    /// <summary>Grids of two panels that the teacher draws.</summary>
    public required int Grids { get; init; }

    /// <summary>
    /// The share of grids whose prompts state every attribute of the subject that they have room for, 0 to 1. The others' state some, as captions do.
    /// </summary>
    public required double WholeSubjectShare { get; init => field = OptionCheck.Range(value, 0, 1, nameof(WholeSubjectShare)); }

    /// <summary>Rank of the LoRA.</summary>
    public required int Rank { get; init; }

    /// <summary>
    /// The condition embedder starts as the teacher's own embedder of latents times this, 0 to 1: a teacher that looks across reads a clean panel already. 0
    /// starts it at nothing.
    /// </summary>
    public required double ConditionStart { get; init => field = OptionCheck.Range(value, 0, 1, nameof(ConditionStart)); }

    /// <summary>Guidance that the grids are drawn with.</summary>
    public required float Guidance { get; init; }

    /// <summary>Steps that the grids are drawn with.</summary>
    public required int SamplingSteps { get; init; }

    /// <summary>Share of the teacher's pairs that is kept at least, the surest, where the judge's threshold would keep fewer.</summary>
    public required double LeastKeptShare { get; init; }
}
