using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>Which grids a teacher draws for its student.</summary>
internal sealed record TeacherGridOptions
{
    /// <summary>The teacher: a pipeline's folder.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>Side of a panel in pixels.</summary>
    public required int PanelSize { get; init; }

    /// <summary>Number of grids.</summary>
    public required int Count { get; init; }

    /// <summary>Sampling steps a grid.</summary>
    public required int Steps { get; init; }

    /// <summary>Guidance that the teacher is given.</summary>
    public required float Guidance { get; init; }

    /// <summary>Decides subjects, contexts, wording and noise.</summary>
    public required long Seed { get; init; }

    /// <summary>How freely grid prompts and edit prompts are worded.</summary>
    public PromptStyle Style { get; init; } = PromptStyle.Varied;

    /// <summary>
    /// The share of grids whose prompts state every attribute of the subject that they have room for, 0 to 1. The others' state some, as captions do.
    /// </summary>
    public required double WholeSubjectShare { get; init; }

    /// <summary>Whether the panels differ in their light alone, for a student that relights.</summary>
    public bool Relight { get; init; }
}
