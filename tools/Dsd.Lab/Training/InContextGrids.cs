using Dsd.Curation.Grids;
using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>Grids of one subject with captions that leave it open: nothing is said of it, or one thing.</summary>
internal static class InContextGrids
{
    private const double NothingShare = 0.5;

    // What can be said alone: the colours of pattern and accessory go with their things.
    private static readonly int[] Alone =
        [.. Enumerable.Range(0, Subject.Kinds.Count).Where(i => !Subject.Kinds[i].Name.EndsWith("_color", StringComparison.Ordinal))];

    /// <summary>A grid whose panels differ in scene.</summary>
    public static (WorldGrid Grid, Caption Caption) Draw(WorldRandom random, GridLayout layout, bool heldOut = false)
    {
        WorldGrid grid = WorldSampler.SampleGrid(random, layout, inconsistentShare: 0, heldOut);
        return (grid, Captions.GridStating(grid.Subject, LittleMask(random), [.. grid.Panels.Select(panel => panel.Context)], random.NextBits()));
    }

    /// <summary>A pair that shows one picture under two lights.</summary>
    public static (WorldGrid Grid, Caption Caption) DrawRelit(WorldRandom random, bool heldOut = false)
    {
        WorldGrid grid = WorldSampler.SampleRelightGrid(random, inconsistentShare: 0, heldOut);
        (Context left, Context right) = (grid.Panels[0].Context, grid.Panels[1].Context);
        return (grid, Captions.RelightGridStating(grid.Subject, LittleMask(random), left, left.Light, right.Light, random.NextBits()));
    }

    private static int LittleMask(WorldRandom random) => random.Chance(NothingShare) ? 0 : 1 << random.Pick(Alone);
}
