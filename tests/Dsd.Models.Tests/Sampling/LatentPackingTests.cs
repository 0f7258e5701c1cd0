using Dsd.Models.Sampling;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public class LatentPackingTests
{
    [Fact]
    public void Pack_PutsFourNeighboursIntoOneToken()
    {
        using Tensor latents = arange(16, dtype: ScalarType.Float32).reshape(1, 1, 4, 4);
        using Tensor tokens = LatentPacking.Pack(latents);
        Assert.Equal([2f, 3f, 6f, 7f], tokens[0, 1].data<float>().ToArray());
    }

    [Fact]
    public void Unpack_ReversesPack()
    {
        using Tensor latents = randn(2, 3, 4, 6);
        using Tensor tokens = LatentPacking.Pack(latents);
        using Tensor back = LatentPacking.Unpack(tokens, 4, 6);
        TensorAssert.Equal(latents, back);
    }

    [Fact]
    public void Pack_RefusesOddSides()
    {
        using Tensor latents = randn(1, 3, 4, 5);
        Assert.Throws<ArgumentException>(() => LatentPacking.Pack(latents));
    }

    [Fact]
    public void Unpack_RefusesAnotherNumberOfTokens()
    {
        using Tensor tokens = randn(1, 5, 12);
        ArgumentException e = Assert.Throws<ArgumentException>(() => LatentPacking.Unpack(tokens, 4, 6));
        Assert.Contains("[batch, 6, 4 · channels], but are [1, 5, 12]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Positions_AreRowAndColumn() =>
        Assert.Equal([0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 1, 0, 0, 1, 1, 0, 1, 2], LatentPacking.Positions(4, 6));
}
