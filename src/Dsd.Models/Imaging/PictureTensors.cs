using Dsd.Imaging;
using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Imaging;

/// <summary>Pictures as tensors and back.</summary>
public static class PictureTensors
{
    /// <summary>Pictures of one size as a tensor [batch, 3, height, width] with −1 for black and 1 for full brightness.</summary>
    /// <param name="pictures">At least one, all of the same size.</param>
    /// <param name="device">Where the tensor shall lie. Null is the CPU.</param>
    /// <param name="dtype">Its type. Null is float32.</param>
    /// <exception cref="ArgumentException">There is no picture, or the sizes differ.</exception>
    public static Tensor FromPictures(IReadOnlyList<Picture> pictures, Device? device = null, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        if (pictures.Count == 0)
        {
            throw new ArgumentException("At least one picture is needed, but there is none.", nameof(pictures));
        }
        (int width, int height) = (pictures[0].Width, pictures[0].Height);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        List<Tensor> rows = [];
        foreach (Picture picture in pictures)
        {
            if (picture.Width != width || picture.Height != height)
            {
                throw new ArgumentException(
                    $"Pictures of one batch must have one size, but picture 0 is {width} × {height} and picture {rows.Count} is {picture.Width} × "
                        + $"{picture.Height}.",
                    nameof(pictures));
            }
            Tensor row = empty(height, width, 3, dtype: ScalarType.Byte);
            picture.Pixels.CopyTo(row.bytes);
            rows.Add(row);
        }
        Tensor batch = stack(rows).permute(0, 3, 1, 2).to(device ?? CPU).to(ScalarType.Float32).Over(127.5).Minus(1);
        return batch.to(dtype ?? ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The pictures of a tensor; what lies outside −1…1 is cut off, and each value is rounded to the nearest of 256.</summary>
    /// <param name="images">[batch, 3, height, width] in −1…1, of any floating type and device.</param>
    /// <exception cref="ArgumentException">The shape is another, or a number is NaN.</exception>
    public static IReadOnlyList<Picture> ToPictures(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.shape is not [_, 3, _, _])
        {
            throw new ArgumentException($"Images must be [batch, 3, height, width], but are [{string.Join(", ", images.shape)}].", nameof(images));
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor wide = images.to(ScalarType.Float32);
        if (wide.isnan().any().item<bool>())
        {
            throw new ArgumentException(
                "Images must be numbers, but some are NaN: the model's weights are damaged, or its type is too narrow.", nameof(images));
        }
        Tensor bytes = wide.Over(2).Plus(0.5).Clamped(0, 1).Times(255).round().to(ScalarType.Byte);
        bytes = bytes.permute(0, 2, 3, 1).contiguous().cpu(); // [batch, height, width, 3]
        (int height, int width) = ((int)images.shape[2], (int)images.shape[3]);
        return [.. Enumerable.Range(0, (int)images.shape[0]).Select(i => new Picture(width, height, bytes[i].bytes.ToArray()))];
    }
}
