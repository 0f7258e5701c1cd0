using Dsd.Dataset.Formats;
using Dsd.Imaging;

namespace Dsd.Tools.Tests;

/// <summary>Pairs to train on, of noise: the same for the same seed.</summary>
internal static class TrainPairs
{
    /// <summary>Writes a dataset of pairs of 32 × 32 pixels.</summary>
    /// <returns>The folder.</returns>
    public static string Write(string folder, PairFormat format, int count, int seed = 0, Func<int, bool>? kept = null)
    {
        string name = Path.GetFileName(folder);
        IEnumerable<IReadOnlyList<PairRecord>> rows = Enumerable.Range(0, count).Select(i => (IReadOnlyList<PairRecord>)
        [
            new PairRecord
            {
                Source = name,
                Image = new EncodedPicture($"{name}{i}-1.png", Noise(seed + 2 * i, 32, 32).EncodePng()),
                Conditioning = new EncodedPicture($"{name}{i}-0.png", Noise(seed + 2 * i + 1, 32, 32).EncodePng()),
                Caption = $"a fox {i}",
                Details = new PairDetails { Id = $"{name}{i}", Kept = kept?.Invoke(i) ?? true },
            },
        ]);
        DatasetWriter.Write(rows, folder, new DatasetWriteOptions { Format = format });
        return folder;
    }

    /// <summary>A picture of noise.</summary>
    public static Picture Noise(int seed, int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }
}
