using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Tiny.World;

namespace Dsd.Tools.Benchmark;

/// <summary>Sheets of the little world that were drawn beforehand, so that drawing takes no time.</summary>
internal sealed class WorldSheets : IGridTeacher
{
    private readonly Picture[] _sheets;

    /// <summary>Some sheets of two panels.</summary>
    /// <param name="panelSize">Side of a panel in pixels.</param>
    public WorldSheets(int panelSize)
    {
        WorldRandom random = new(5);
        _sheets = [.. Enumerable.Range(0, 32).Select(_ => Renderer.Draw(WorldSampler.SampleSheet(random, SheetLayout.Pair), panelSize))];
    }

    public string Name => "drawn-before";

    public IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> sheets, CancellationToken cancellationToken) => [.. sheets.Select(s => Of(s.Seed))];

    public Picture Of(long seed) => _sheets[(int)(seed % _sheets.Length)];
}
