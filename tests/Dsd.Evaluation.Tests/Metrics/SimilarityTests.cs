using Dsd.Evaluation.Metrics;
using Dsd.Imaging;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Metrics;

public sealed class SimilarityTests
{
    [Theory]
    [InlineData(new[] { 3f, 4 }, new[] { 3f, 4 }, 1)]
    [InlineData(new[] { 3f, 4 }, new[] { 6f, 8 }, 1)]
    [InlineData(new[] { 1f, 0 }, new[] { 0f, 2 }, 0)]
    [InlineData(new[] { 1f, 0 }, new[] { -3f, 0 }, -1)]
    [InlineData(new[] { 1f, 0 }, new[] { 1f, 1 }, 0.7071067811865475)]
    public void Cosine_IsThatOfTheAngle(float[] one, float[] other, double expected) => Assert.Equal(expected, Similarity.Cosine(one, other), 12);

    [Theory]
    [InlineData(new[] { 1f }, new[] { 1f, 2 })]
    [InlineData(new[] { 0f, 0 }, new[] { 1f, 2 })]
    [InlineData(new[] { 0f, 0 }, new[] { 0f, 0 })]
    [InlineData(new[] { float.NaN, 0 }, new[] { 1f, 2 })]
    public void Cosine_RefusesWhatHasNoDirection(float[] one, float[] other) =>
        Assert.Throws<ArgumentException>(() => Similarity.Cosine(one, other));

    // softmax([0.95, 0.94] / 0.01)[0] = 1 / (1 + e^-1).
    [Theory]
    [InlineData(0.95, 0.94, 0.7310585786)]
    [InlineData(0.94, 0.95, 0.2689414214)]
    [InlineData(0.5, 0.5, 0.5)]
    [InlineData(1, -1, 1)]
    [InlineData(-1, 1, 0)]
    public void CopyPaste_IsTheSoftmax(double toReference, double toMirrored, double expected) =>
        Assert.Equal(expected, Similarity.CopyPaste(toReference, toMirrored), 9);

    [Fact]
    public void CopyPaste_RefusesWhatIsNoCosine() => Assert.Throws<ArgumentOutOfRangeException>(() => Similarity.CopyPaste(1.1, 0));

    [Fact]
    public void Mirror_ExchangesLeftAndRight()
    {
        Picture picture = Pngs.Noisy(5, 3);
        Picture mirrored = picture.Mirror();
        Assert.Equal((5, 3), (mirrored.Width, mirrored.Height));
        Assert.Equal(picture.Crop(0, 0, 1, 3).Pixels, mirrored.Crop(4, 0, 1, 3).Pixels);
        Assert.NotEqual(picture.Pixels.ToArray(), mirrored.Pixels.ToArray());
        Assert.Equal(picture.Pixels, mirrored.Mirror().Pixels);
    }
}
