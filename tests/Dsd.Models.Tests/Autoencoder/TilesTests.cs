using Dsd.Models.Autoencoder;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Autoencoder;

public sealed class TilesTests
{
    private static readonly VaeConfig Small = new() { LatentChannels = 2, BlockOutChannels = [4, 4], LayersPerBlock = 1, NormNumGroups = 2, ScalingFactor = 1 };

    [Theory]
    [InlineData(40, 40)]
    [InlineData(16, 50)]
    [InlineData(37, 12)]
    [InlineData(8, 8)]
    public void Map_OfWhatLooksAtEachPixelAlone_IsTheWhole(int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = randn(2, 3, height, width);

        Tensor tiled = Tiles.Map(
            x, 16, pixels => 2 * pixels, part => nn.functional.interpolate(part * 3 + 1, scale_factor: [2, 2], mode: InterpolationMode.Nearest));

        Tensor expected = nn.functional.interpolate(x * 3 + 1, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        Assert.Equal(expected.shape, tiled.shape);
        Assert.True(expected.allclose(tiled, atol: 1e-5));
    }

    [Fact]
    public void Map_NeverGivesMoreThanATile()
    {
        using DisposeScope scope = NewDisposeScope();
        long most = 0;

        Tiles.Map(zeros(1, 1, 100, 30), 16, pixels => pixels, part =>
        {
            most = Math.Max(most, Math.Max(part.shape[2], part.shape[3]));
            return part.clone();
        });

        Assert.Equal(16, most);
    }

    [Theory]
    [InlineData(100, 16)]
    [InlineData(17, 16)]
    [InlineData(16, 16)]
    [InlineData(5, 16)]
    public void Starts_CoverTheSide(long side, int tile)
    {
        long[] starts = [.. Tiles.Starts(side, tile)];

        Assert.Equal(0, starts[0]);
        Assert.True(starts[^1] + tile >= side);
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 1, tile - (tile / 4)));
    }

    [Fact]
    public void Decode_InTiles_IsSeamlessAndCloseToTheWhole()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        random.manual_seed(1);
        using AutoencoderKL vae = new(Small);
        Tensor latent = randn(1, 2, 40, 48);
        Tensor image = randn(1, 3, 80, 96);
        Tensor whole = vae.Decode(latent);
        Tensor mean = vae.Encode(image).Mean;

        vae.TileSide = 64;
        Tensor tiled = vae.Decode(latent);
        Tensor tiledMean = vae.Encode(image).Mean;

        // Random weights and noise: the tiles' own means and variances, which the norms take, are near the whole picture's.
        Assert.Equal(whole.shape, tiled.shape);
        Assert.InRange((whole - tiled).abs().mean().item<float>() / whole.std().item<float>(), 1e-6, 0.1);
        Assert.Equal(mean.shape, tiledMean.shape);
        Assert.InRange((mean - tiledMean).abs().mean().item<float>() / mean.std().item<float>(), 1e-6, 0.1);
    }

    [Fact]
    public void Decode_OfAPictureThatFitsOneTile_IsTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using AutoencoderKL vae = new(Small);
        Tensor latent = randn(1, 2, 16, 16);
        Tensor whole = vae.Decode(latent);

        vae.TileSide = 32;

        TensorAssert.Equal(whole, vae.Decode(latent));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(24)]
    [InlineData(36)]
    public void TileSide_OfNoWholeTiles_IsRefused(int side)
    {
        using AutoencoderKL vae = new(Small);

        Assert.Throws<ArgumentOutOfRangeException>(() => vae.TileSide = side);
    }
}
