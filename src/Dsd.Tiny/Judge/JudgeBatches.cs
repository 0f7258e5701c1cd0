using Dsd.Imaging;
using Dsd.Tiny.Training;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Tiny.Judge;

/// <summary>Draws training pictures on the CPU's threads, a few batches ahead of the one that is being learnt from.</summary>
/// <remarks>A batch depends on the seed and its number alone, so a resumed run sees what an uninterrupted one would.</remarks>
internal sealed class JudgeBatches(ulong seed, int batch, int size, int? distinct = null)
{
    private const int Ahead = 4;
    private readonly Dictionary<long, Task<(byte[] Pixels, long[] Values)>> _drawing = [];

    /// <summary>A batch: images [batch, 3, size, size] in −1…1 and values [batch, attributes], both on the device.</summary>
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
        return (new PictureBatch(size, size, pixels).ToTensor(device), tensor(values, [batch, values.Length / batch]).to(device));
    }

    /// <summary>The two panels of a pair, which share nothing but the border.</summary>
    public static (Picture A, Picture B) Panels(Subject a, Subject b, WorldRandom random, int size)
    {
        Sheet sheet = new(SheetLayout.Pair, [new SheetPanel(a, WorldSampler.SampleContext(random)), new SheetPanel(b, WorldSampler.SampleContext(random))], random.Chance(WorldSampler.BorderedShare));
        Picture drawn = Renderer.Draw(sheet, size);
        return (drawn.Crop(0, 0, size, size), drawn.Crop(size, 0, size, size));
    }

    private long Drawn(long number) => distinct is { } count ? number % count : number;

    private (byte[] Pixels, long[] Values) Draw(long number)
    {
        int attributes = Subject.Kinds.Count;
        byte[] pixels = new byte[3 * size * size * batch];
        long[] values = new long[batch * attributes];
        Parallel.For(0, batch / 2, pair =>
        {
            WorldRandom random = new(WorldRandom.Mix(seed) ^ ((ulong)number * (ulong)batch + (ulong)pair));
            Subject a = WorldSampler.SampleSubject(random);
            // Half of the pairs differ in little, so that the network sees the same picture but for one attribute often enough.
            Subject b = random.Chance(0.5) ? WorldSampler.SampleSubject(random) : WorldSampler.Change(a, random);
            (Picture left, Picture right) = Panels(a, b, random, size);
            Put(2 * pair, a, left);
            Put(2 * pair + 1, b, right);
        });
        return (pixels, values);

        void Put(int index, Subject subject, Picture picture)
        {
            picture.Pixels.CopyTo(pixels.AsSpan(3 * size * size * index));
            int[] own = subject.Values;
            for (int i = 0; i < attributes; i++)
            {
                values[index * attributes + i] = own[i];
            }
        }
    }
}
