using Dsd.Imaging;
using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>Pictures of one size as bytes, ready to go to a device.</summary>
internal sealed class PictureBatch(int width, int height, byte[] rgb)
{
    public int Count => rgb.Length / (3 * width * height);

    public static PictureBatch Draw(int count, Func<int, Picture> draw)
    {
        Picture[] pictures = ProcessorThreads.Make(count, draw);
        byte[] rgb = new byte[3 * pictures[0].Width * pictures[0].Height * count];
        for (int i = 0; i < count; i++)
        {
            pictures[i].Pixels.CopyTo(rgb.AsSpan(i * pictures[i].Pixels.Length));
        }
        return new PictureBatch(pictures[0].Width, pictures[0].Height, rgb);
    }

    /// <summary>The same pictures in batches of at most so many.</summary>
    public IEnumerable<PictureBatch> Parts(int most)
    {
        int size = 3 * width * height;
        for (int first = 0; first < Count; first += most)
        {
            int end = Math.Min(first + most, Count);
            yield return new PictureBatch(width, height, rgb[(first * size)..(end * size)]);
        }
    }

    /// <summary>[count, 3, height, width] in −1…1 on the device.</summary>
    public Tensor ToTensor(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = tensor(rgb, [Count, height, width, 3]).to(device);
        return bytes.permute(0, 3, 1, 2).to(ScalarType.Float32).Over(127.5).Minus(1).contiguous().MoveToOuterDisposeScope();
    }
}
