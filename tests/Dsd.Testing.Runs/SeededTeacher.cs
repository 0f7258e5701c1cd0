using Dsd.Imaging;
using Dsd.Runs;

namespace Dsd.Testing.Runs;

/// <summary>Draws a grid of 2 × 2 plain panels whose colours follow from text and seed, in no time; or in as long as it shall take.</summary>
public sealed class SeededTeacher(TimeSpan pause = default) : IGridTeacher
{
    private const int Side = 16;

    public string Name => "seeded";

    /// <summary>Called before each batch.</summary>
    public Action? Before { get; init; }

    public IReadOnlyList<Picture> Draw(IReadOnlyList<(string Text, long Seed)> grids, CancellationToken cancellationToken)
    {
        Before?.Invoke();
        cancellationToken.WaitHandle.WaitOne(pause);
        return [.. grids.Select(s => Grid(s.Text, s.Seed))];
    }

    private static Picture Grid(string text, long seed)
    {
        byte[] pixels = new byte[3 * 4 * Side * Side];
        for (int y = 0; y < 2 * Side; y++)
        {
            for (int x = 0; x < 2 * Side; x++)
            {
                long panel = 2 * (y / Side) + x / Side;
                // Pixels differ within a panel, so that no line of one colour is taken for a border.
                long value = (seed >> (int)(7 * panel)) + 31 * text.Length + 13 * x + 7 * y;
                pixels.AsSpan(3 * (2 * Side * y + x), 3).Fill((byte)value);
            }
        }
        return new Picture(2 * Side, 2 * Side, pixels);
    }
}
