using Dsd.Models.Autoencoder;
using Dsd.Models.Weights;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Autoencoder;

public class AutoencoderKLTests
{
    [Fact]
    [Trait("Category", "Parity")]
    public void Encode_GivesTheReferenceDistribution()
    {
        using TensorDictionary reference = Fixtures.Tensors("vae.safetensors");
        using AutoencoderKL vae = Load();
        using IDisposable noGrad = no_grad();
        (Tensor mean, Tensor logVariance) = vae.Encode(reference["image"]);
        TensorAssert.Close(reference["mean"], mean);
        TensorAssert.Close(reference["logvar"], logVariance);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Decode_GivesTheReferencePicture()
    {
        using TensorDictionary reference = Fixtures.Tensors("vae.safetensors");
        using AutoencoderKL vae = Load();
        using IDisposable noGrad = no_grad();
        using Tensor image = vae.Decode(reference["latent"]);
        TensorAssert.Close(reference["decoded"], image);
    }

    [Fact]
    public void Unscale_ReversesScale()
    {
        using AutoencoderKL vae = Load();
        using Tensor latent = randn(1, vae.Config.LatentChannels, 4, 4);
        using Tensor scaled = vae.Scale(latent);
        using Tensor back = vae.Unscale(scaled);
        TensorAssert.Close(latent, back, 1e-6);
    }

    [Fact]
    public void Forward_LeavesNoTensorBehind()
    {
        using AutoencoderKL vae = Load();
        using IDisposable noGrad = no_grad();
        using Tensor image = zeros(1, 3, 4 * vae.Config.Factor, 2 * vae.Config.Factor);
        LiveTensors.AssertUnchanged(() => vae.forward(image).Dispose());
    }

    [Fact]
    public void Constructor_StartsFromWeightsOfModestSize()
    {
        VaeConfig config = new() { LatentChannels = 4, BlockOutChannels = [32, 64], LayersPerBlock = 2, NormNumGroups = 8, ScalingFactor = 1 };
        using AutoencoderKL vae = new(config);
        Assert.All(vae.parameters(), p => Assert.True(p.abs().max().item<float>() <= 1));
    }

    [Fact]
    public void Constructor_RefusesChannelsThatDoNotDivideIntoGroups()
    {
        VaeConfig config = new() { LatentChannels = 4, BlockOutChannels = [8, 10], LayersPerBlock = 1, NormNumGroups = 4, ScalingFactor = 1 };
        ArgumentException e = Assert.Throws<ArgumentException>(() => new AutoencoderKL(config));
        Assert.Contains("norm_num_groups (4), but one is 10", e.Message);
    }

    private static AutoencoderKL Load()
    {
        ModelFolder folder = ModelFolder.Open(Fixtures.Path("tiny-flux"));
        AutoencoderKL vae = new(folder.ReadConfig<VaeConfig>("vae", "config.json", "AutoencoderKL"));
        using WeightSource source = WeightSource.Open(folder.ComponentFolder("vae"));
        WeightLoader.Load(vae, source);
        return vae;
    }
}
