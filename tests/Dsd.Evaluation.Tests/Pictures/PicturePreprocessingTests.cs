using Dsd.Evaluation.Pictures;
using Dsd.Imaging;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Pictures;

public sealed class PicturePreprocessingTests
{
    private static readonly float[] Zero = [0, 0, 0];
    private static readonly float[] One = [1, 1, 1];

    public static TheoryData<Resampling> InBytes => [Resampling.Pillow, Resampling.TorchvisionBytes];

    [Theory]
    [MemberData(nameof(InBytes))]
    public void APictureOfTheRightSize_StaysAsItIs(Resampling resampling)
    {
        Picture picture = Pngs.Noisy(40, 40);
        Assert.Equal(picture.Pixels.ToArray(), Of(40, 40, 40, resampling).Resized(picture).Pixels.ToArray());
    }

    [Theory]
    [MemberData(nameof(InBytes))]
    public void OneColour_StaysOneColour(Resampling resampling)
    {
        Picture picture = new(37, 91, [.. Enumerable.Range(0, 37 * 91).SelectMany(_ => new byte[] { 3, 130, 255 })]);
        byte[] pixels = Of(64, 48, 48, resampling).Resized(picture).Pixels.ToArray();
        Assert.All(pixels.Chunk(3), pixel => Assert.Equal([3, 130, 255], pixel));
    }

    [Fact]
    public void PillowsBytes_OfAnEdge()
    {
        // Made with Pillow's arithmetic by hand: 4 columns of black and 4 of white, halved. Rings beyond black and white are cut off.
        Picture picture = new(8, 8, [.. Enumerable.Range(0, 64).SelectMany(i => Enumerable.Repeat((byte)(i % 8 < 4 ? 0 : 255), 3))]);
        byte[] row = [.. Of(4, 4, 4, Resampling.Pillow).Resized(picture).Pixels[..12].ToArray().Where((_, i) => i % 3 == 0)];
        Assert.Equal(0, row[0]);
        Assert.InRange(row[1], 0, 40);
        Assert.Equal(255, row[1] + row[2]);
        Assert.Equal(255, row[3]);
    }

    [Fact]
    public void RealNumbers_AreNotCutOffAtWhite()
    {
        Picture picture = new(8, 8, [.. Enumerable.Range(0, 64).SelectMany(i => Enumerable.Repeat((byte)(i % 8 < 4 ? 0 : 255), 3))]);
        float[] numbers = (Of(12, 12, 12, Resampling.TorchvisionFloats) with { ShortestSide = null }).Numbers(picture);
        Assert.True(numbers.Max() > 1.01f);
        Assert.True(numbers.Min() < -0.01f);
    }

    [Theory]
    [InlineData(CropRounding.Down, 103)]
    [InlineData(CropRounding.Even, 104)]
    public void AnOddRest_IsSplitByTheRule(CropRounding rounding, int margin)
    {
        // 20 rows and 227 columns: 207 are left over.
        Picture picture = Pngs.Noisy(227, 20);
        PicturePreprocessing preprocessing = Of(20, 20, 20, Resampling.Pillow) with { CropRounding = rounding };
        Assert.Equal(picture.Crop(margin, 0, 20, 20).Pixels.ToArray(), preprocessing.Resized(picture).Pixels.ToArray());
    }

    [Fact]
    public void AThread_TakesNoMemoryForWhatIsCutOff()
    {
        // The scaled picture would have 64 × 1,048,576 pixels.
        Picture picture = new(1, 16_384, [.. Enumerable.Range(0, 3 * 16_384).Select(i => (byte)i)]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(64, Of(64, 64, 64, Resampling.Pillow).Resized(picture).Height);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
    }

    [Fact]
    public void Options_AreChecked()
    {
        PicturePreprocessing whole = Of(20, 20, 20, Resampling.Pillow);
        AssertRefused("ShortestSide", () => Of(20, 30, 20, Resampling.Pillow).Validate());
        AssertRefused("Deviation", () => _ = whole with { Deviation = [1, 0, 1] });
        AssertRefused("Mean", () => _ = whole with { Mean = [1, 1] });
        Assert.Throws<ArgumentOutOfRangeException>(() => Of(20, 0, 20, Resampling.Pillow));
        Assert.Throws<InvalidOperationException>(() => Of(20, 20, 20, Resampling.TorchvisionFloats).Resized(Pngs.Noisy(3, 3)));
    }

    private static void AssertRefused(string option, Action action) =>
        Assert.Contains(option, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static PicturePreprocessing Of(int shortest, int width, int height, Resampling resampling) =>
        new() { ShortestSide = shortest, Width = width, Height = height, Resampling = resampling, Mean = Zero, Deviation = One };
}
