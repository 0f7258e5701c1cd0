using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Draws panels whose truth is known on the CPU's threads, a few batches ahead of the one that is being looked at.</summary>
/// <remarks>A batch depends on the seed and its number alone, so a resumed run sees what an uninterrupted one would.</remarks>
/// <param name="seed">Fixes the pictures.</param>
/// <param name="batch">Pictures a batch, an even number.</param>
/// <param name="size">The side of a panel in pixels.</param>
/// <param name="distinct">So many batches are kept in memory and come again and again; null draws every batch anew.</param>
/// <param name="heldOut">True for subjects held out from training, false for those that training may see.</param>
internal sealed class PanelBatches(ulong seed, int batch, int size, int? distinct = null, bool heldOut = false)
{
    private const int Ahead = 4;
    private static readonly int ValueCount = Subject.Kinds.Count + Context.Kinds.Count;
    private readonly Dictionary<long, Task<(byte[] Pixels, long[] Values)>> _drawing = [];

    /// <summary>A batch: images [batch, 3, size, size] in −1…1 and the values of subject and context [batch, attributes], both on the device.</summary>
    public (Tensor Images, Tensor Values) Take(long number, Device device)
    {
        for (long next = number; next <= number + Ahead; next++)
        {
            long drawn = Drawn(next);
            _drawing.TryAdd(drawn, Task.Run(() => Draw(drawn)));
        }
        (byte[] pixels, long[] values) = _drawing[Drawn(number)].GetAwaiter().GetResult();
        if (distinct is null)
        {
            _drawing.Remove(number);
        }
        return (new PictureBatch(size, size, pixels).ToTensor(device), tensor(values, [batch, ValueCount]).to(device));
    }

    /// <summary>The two panels of a pair in contexts of their own, which share nothing but the border.</summary>
    public static (Panel A, Panel B) Pair(Subject a, Subject b, WorldRandom random, int size)
    {
        WorldGrid grid = new(GridLayout.OneByTwo,
            [new WorldPanel(a, WorldSampler.SampleContext(random)), new WorldPanel(b, WorldSampler.SampleContext(random))],
            random.Chance(WorldSampler.BorderedShare));
        Picture drawn = Renderer.Draw(grid, size);
        return (Cut(0), Cut(1));

        Panel Cut(int i) => new(drawn.Crop(i * size, 0, size, size), [.. grid.Panels[i].Subject.Values, .. grid.Panels[i].Context.Values]);
    }

    private long Drawn(long number) => distinct is { } count ? number % count : number;

    private (byte[] Pixels, long[] Values) Draw(long number)
    {
        byte[] pixels = new byte[3 * size * size * batch];
        long[] values = new long[batch * ValueCount];
        (Panel Left, Panel Right)[] pairs = ProcessorThreads.Make(batch / 2, pair =>
        {
            WorldRandom random = new(WorldRandom.Mix(seed) ^ ((ulong)number * (ulong)batch + (ulong)pair));
            Subject a = WorldSampler.SampleSubject(random, heldOut);
            // Half of the pairs differ in little, so that the network sees the same picture but for one attribute often enough.
            Subject b = random.Chance(0.5) ? WorldSampler.SampleSubject(random, heldOut) : WorldSampler.Change(a, random, heldOut);
            return Pair(a, b, random, size);
        });
        foreach ((int pair, (Panel left, Panel right)) in pairs.Index())
        {
            Put(2 * pair, left);
            Put(2 * pair + 1, right);
        }
        return (pixels, values);

        void Put(int index, Panel panel)
        {
            panel.Picture.Pixels.CopyTo(pixels.AsSpan(3 * size * size * index));
            for (int i = 0; i < ValueCount; i++)
            {
                values[index * ValueCount + i] = panel.Values[i];
            }
        }
    }

    /// <summary>A drawn panel and its truth: the values of <see cref="Subject.Kinds"/>, then those of <see cref="Context.Kinds"/>.</summary>
    internal readonly record struct Panel(Picture Picture, int[] Values);
}
