using Dsd.Models.Training;

namespace Quickstart;

/// <summary>What the stages gave.</summary>
internal sealed class Results(Settings settings)
{
    public Settings Settings { get; } = settings;

    public IReadOnlyList<GridRow> Grids { get; set; } = [];

    public IReadOnlyList<PairRow> Pairs { get; set; } = [];

    public List<TrainingProgress> Losses { get; } = [];

    public IReadOnlyList<PictureRow> Pictures { get; set; } = [];

    public IReadOnlyList<(string Stage, TimeSpan Time)> Timings { get; set; } = [];
}
