using Dsd.Imaging;
using Dsd.Models.Imaging;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Imaging;

public class PictureTensorsTests
{
    [Fact]
    public void ToPictures_ReversesFromPictures()
    {
        Picture picture = new(3, 2, [.. Enumerable.Range(0, 18).Select(i => (byte)(i * 15))]);
        using Tensor images = PictureTensors.FromPictures([picture]);
        Assert.Equal(picture.Pixels.ToArray(), PictureTensors.ToPictures(images)[0].Pixels.ToArray());
    }

    [Fact]
    public void FromPictures_PutsBlackAtMinusOne()
    {
        using Tensor images = PictureTensors.FromPictures([new Picture(1, 1, [0, 255, 0])]);
        Assert.Equal([-1f, 1f, -1f], images.flatten().data<float>().ToArray());
    }

    [Fact]
    public void FromPictures_NamesThePictureOfAnotherSize()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(
            () => PictureTensors.FromPictures([new Picture(1, 1, new byte[3]), new Picture(2, 1, new byte[6])]));
        Assert.Contains("picture 0 is 1 × 1 and picture 1 is 2 × 1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToPictures_RefusesNaN()
    {
        using Tensor images = full([1, 3, 2, 2], float.NaN);
        Assert.Throws<ArgumentException>(() => PictureTensors.ToPictures(images));
    }
}
