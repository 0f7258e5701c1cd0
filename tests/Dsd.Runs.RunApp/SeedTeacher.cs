using Dsd.Imaging;

namespace Dsd.Runs.RunApp;

/// <summary>Grids that follow from their seeds alone: four panels, each of one of three greys with a texture.</summary>
public sealed class SeedTeacher(WorkLog? log = null) : IGridTeacher
{
    public const int Side = 64;

    public string Name => "seed";

    public IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken)
    {
        Thread.Sleep(2);
        return [.. grids.Select(grid => Grid(grid.Seed))];
    }

    private Picture Grid(long seed)
    {
        log?.Add($"grid {seed}");
        Random random = new((int)(seed % int.MaxValue));
        byte[] greys = [.. Enumerable.Range(0, 4).Select(_ => (byte)(60 + 60 * random.Next(3)))];
        byte[] pixels = new byte[3 * Side * Side];
        random.NextBytes(pixels);
        for (int i = 0; i < pixels.Length; i++)
        {
            int place = i / 3;
            int panel = (place / Side < Side / 2 ? 0 : 2) + (place % Side < Side / 2 ? 0 : 1);
            pixels[i] = (byte)(greys[panel] + pixels[i] % 50);
        }
        return new Picture(Side, Side, pixels);
    }
}
