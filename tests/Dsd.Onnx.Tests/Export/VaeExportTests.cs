using Dsd.Models.Autoencoder;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Export;

[Trait("Category", "Parity")]
public class VaeExportTests
{
    private const double Tolerance = 1e-4;
    private readonly VaeConfig _config = ModelFolder.Open(Fixtures.Path("tiny-flux")).ReadConfig<VaeConfig>("vae");

    [Fact]
    public void Encoder_GivesTheReferencesMeanAndLogVariance()
    {
        using TensorDictionary reference = Fixtures.Tensors("vae.safetensors");
        using WeightSource source = WeightSource.Open(Fixtures.Path("tiny-flux", "vae"));
        using OnnxModel model = new(VaeEncoderExport.Build(_config, new CheckpointWeights(source)));

        Tensor[] outputs = model.Run(("image", reference["image"]));

        TensorAssert.Close(reference["mean"], outputs[0], Tolerance);
        TensorAssert.Close(reference["logvar"], outputs[1], Tolerance);
    }

    [Fact]
    public void Decoder_GivesTheReferencesImage()
    {
        using TensorDictionary reference = Fixtures.Tensors("vae.safetensors");
        using WeightSource source = WeightSource.Open(Fixtures.Path("tiny-flux", "vae"));
        using OnnxModel model = new(VaeDecoderExport.Build(_config, new CheckpointWeights(source)));

        TensorAssert.Close(reference["decoded"], model.Run(("latent", reference["latent"]))[0], Tolerance);
    }

    [Fact]
    public void Both_TakeAnotherBatchAndSizeThanTheReferences()
    {
        using TensorDictionary reference = Fixtures.Tensors("vae.safetensors");
        using WeightSource source = WeightSource.Open(Fixtures.Path("tiny-flux", "vae"));
        using OnnxModel encoder = new(VaeEncoderExport.Build(_config, new CheckpointWeights(source)));
        using OnnxModel decoder = new(VaeDecoderExport.Build(_config, new CheckpointWeights(source)));
        int side = 4 * _config.Factor;

        Tensor mean = encoder.Run(("image", zeros(3, 3, side, 2 * side)))[0];
        Tensor image = decoder.Run(("latent", mean))[0];

        Assert.Equal([3, _config.LatentChannels, 4, 8], mean.shape);
        Assert.Equal([3, 3, side, 2 * side], image.shape);
    }

    [Fact]
    public void Check_ListsEveryTensorThatIsMissing()
    {
        using WeightSource source = WeightSource.Open(Fixtures.Path("tiny-flux", "text_encoder"));
        CheckpointWeights weights = new(source);
        VaeEncoderExport.Build(_config, weights);

        WeightsException e = Assert.Throws<WeightsException>(() => weights.Check(_ => false));

        Assert.Contains("encoder.conv_in.weight", e.Message);
        Assert.Contains("encoder.conv_in.bias", e.Message);
        Assert.Contains(source.Path, e.Message);
    }
}
