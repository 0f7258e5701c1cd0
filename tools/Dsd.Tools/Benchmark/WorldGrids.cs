using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Tiny.World;

namespace Dsd.Tools.Benchmark;

/// <summary>Grids of the small world that were drawn beforehand, so that drawing takes no time.</summary>
internal sealed class WorldGrids : IGridTeacher
{
    private readonly Picture[] _grids;

    /// <summary>Some grids of two panels.</summary>
    /// <param name="panelSize">Side of a panel in pixels.</param>
    public WorldGrids(int panelSize)
    {
        WorldRandom random = new(5);
        _grids = [.. Enumerable.Range(0, 32).Select(_ => Renderer.Draw(WorldSampler.SampleGrid(random, GridLayout.OneByTwo), panelSize))];
    }

    public string Name => "drawn-before";

    public IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken) =>
        [.. grids.Select(s => Of(s.Seed))];

    public Picture Of(long seed) => _grids[(int)(seed % _grids.Length)];
}
