using Dsd.Common.Options;
using Dsd.Tiny;

namespace Dsd.Lab.Measure;

/// <summary>How it is measured whether a teacher looks across.</summary>
internal sealed record LookOptions
{
    /// <summary>Side of a panel in pixels. Default <see cref="TinyModel.PanelSize"/>.</summary>
    public int PanelSize { get; init => field = OptionCheck.Range(value, 16, 2048, nameof(PanelSize)); } = TinyModel.PanelSize;

    /// <summary>Held-out subjects, 2 to 10,000.</summary>
    public required int Subjects { get; init => field = OptionCheck.Range(value, 2, 10_000, nameof(Subjects)); }

    /// <summary>Sampling steps a grid, 1 to 1000. Default 28.</summary>
    public int Steps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(Steps)); } = 28;

    /// <summary>The guidance that the teacher is given, 0 to 100.</summary>
    public required float Guidance { get; init => field = OptionCheck.Range(value, 0f, 100f, nameof(Guidance)); }

    /// <summary>Grids drawn at once, 1 to 1024. Default 128.</summary>
    public int Batch { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(Batch)); } = 128;

    /// <summary>Grids of each kind that the sheet shows. Default 8.</summary>
    public int Shown { get; init => field = OptionCheck.Range(value, 0, 1000, nameof(Shown)); } = 8;

    /// <summary>Fixes subjects, contexts, captions and noise. Default 1.</summary>
    public ulong Seed { get; init; } = 1;
}
