using Dsd.Models.Sampling;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public class NoiseTests
{
    [Theory]
    [InlineData(0, 16)]
    [InlineData(42, 35)]
    [InlineData(123456789, 1000)]
    [InlineData(-1, 640)]
    public void Normal_FollowsPyTorchsGenerator(long seed, int count)
    {
        using Generator generator = new(unchecked((ulong)seed));
        float[] expected = randn(count, generator: generator).data<float>().ToArray();
        float[] actual = Noise.Normal(seed, count);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Normal_RefusesCountsThatPyTorchDrawsInAnotherWay() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Noise.Normal(1, 15));
}
