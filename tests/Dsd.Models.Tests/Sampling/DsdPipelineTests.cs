using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public sealed class DsdPipelineTests : IDisposable
{
    private static readonly Picture Reference = Pictures.Gradient(40, 32);
    private readonly DsdPipeline _pipeline = DsdPipeline.Load(Fixtures.Path("tiny-flux"), Fixtures.Path("tiny-dsd"));

    private DsdOptions Small =>
        new() { Width = 2 * Pictures.Side(_pipeline.Model), Height = 2 * Pictures.Side(_pipeline.Model), Steps = 3, MaxTextTokens = 16 };

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    [Trait("Category", "Parity")]
    public void PlainLatents_AreThePublishedPipelines()
    {
        using TensorDictionary expected = Fixtures.Tensors("dsd_pipeline.safetensors");
        DsdOptions options = ReferenceOptions(expected);
        using Tensor latents = Denoise(expected, options);
        TensorAssert.Close(expected["final_latents_plain"], latents);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void GuidedLatents_AreThePublishedPipelines()
    {
        using TensorDictionary expected = Fixtures.Tensors("dsd_pipeline.safetensors");
        DsdOptions options = ReferenceOptions(expected) with { ImageGuidance = 1.5f, TextGuidance = 2f };
        using Tensor latents = Denoise(expected, options);
        TensorAssert.Close(expected["final_latents_guided"], latents);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Decoded_TheyAreThePublishedPipelinesImage()
    {
        using TensorDictionary expected = Fixtures.Tensors("dsd_pipeline.safetensors");
        using IDisposable noGrad = no_grad();
        DsdOptions options = ReferenceOptions(expected);
        using Tensor canvas = _pipeline.Model.DecodeImages(expected["final_latents_plain"], _pipeline.Model.CanvasOf(2 * options.Width, options.Height));
        using Tensor image = canvas.narrow(3, options.Width, options.Width);
        using Tensor unit = (image / 2 + 0.5).clamp(0, 1);
        // The file may hold the image in the numbers of float16, whose half step below one is 2^-12.
        using Tensor whole = expected["image_plain"].to(ScalarType.Float32);
        using Tensor rounded = whole.to(ScalarType.Float16).to(ScalarType.Float32);
        bool isRounded = rounded.equal(whole).all().item<bool>();
        TensorAssert.Close(whole, unit, 1e-4 + (isRounded ? Math.Pow(2, -12) : 0));
    }

    [Theory]
    [InlineData(1f, 1f)]
    [InlineData(1.5f, 2f)]
    public void APicture_IsTheSameAloneAndInABatch(float imageGuidance, float textGuidance)
    {
        DsdOptions options = Small with { ImageGuidance = imageGuidance, TextGuidance = textGuidance };
        DsdRequest request = new(Reference, "on a chair", 5);
        Picture alone = _pipeline.Generate([request], options)[0];
        Picture among = _pipeline.Generate([new(Pictures.Gradient(64, 64), "in the sea", 6), request], options)[1];
        Pictures.Near(alone, among);
    }

    [Fact]
    public void TextGuidance_WorksAlone()
    {
        DsdRequest request = new(Reference, "on a chair", 5);
        Picture plain = _pipeline.Generate([request], Small)[0];
        Picture guided = _pipeline.Generate([request], Small with { TextGuidance = 3 })[0];
        Assert.False(plain.Pixels.SequenceEqual(guided.Pixels));
    }

    [Fact]
    public void TextGuidance_AloneIsTheWholeFormulaWithImageGuidanceOfOne()
    {
        // An image guidance that rounds to one, but is not: all three passes run.
        DsdOptions two = Small with { TextGuidance = 3 };
        DsdRequest request = new(Reference, "on a chair", 5);
        Picture withTwo = _pipeline.Generate([request], two)[0];
        Picture withThree = _pipeline.Generate([request], two with { ImageGuidance = 1.0000001f })[0];
        Pictures.Near(withTwo, withThree);
    }

    [Fact]
    public void Guidance_WaitsForTheUnguidedSteps()
    {
        DsdRequest request = new(Reference, "on a chair", 5);
        Picture plain = _pipeline.Generate([request], Small)[0];
        Picture late = _pipeline.Generate([request], Small with { ImageGuidance = 3, UnguidedSteps = 3 })[0];
        Assert.True(plain.Pixels.SequenceEqual(late.Pixels));
    }

    [Fact]
    public void TheReference_DecidesThePicture()
    {
        IReadOnlyList<Picture> pictures = _pipeline.Generate([new(Reference, "", 1), new(new Picture(16, 16, new byte[768]), "", 1)], Small);
        Assert.False(pictures[0].Pixels.SequenceEqual(pictures[1].Pixels));
    }

    [Fact]
    public void SampledCondition_DependsOnTheSeedAlone()
    {
        DsdOptions options = Small with { SampleCondition = true };
        using Tensor first = _pipeline.Generation.Condition([new(Reference, "a", 1), new(Reference, "b", 1), new(Reference, "a", 2)], options);
        TensorAssert.Equal(first[0], first[1]);
        Assert.False(first[0].equal(first[2]).all().item<bool>());
    }

    [Fact]
    public void APictureOfOnePixel_IsRefused()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(
            () => _pipeline.Generate([new(Reference, "", 1), new(new Picture(1, 1, new byte[3]), "", 1)], Small));
        Assert.Contains("The reference of request 1 must be at least 16 × 16 pixels, but is 1 × 1.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelled_ItLeavesNoTensorBehind()
    {
        _pipeline.Generate([new(Reference, "", 1)], Small);
        using CancellationTokenSource source = new();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<OperationCanceledException>(() => _pipeline.Generate([new(Reference, "", 1)], Small, new Steps(source.Cancel), source.Token));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Generate_Guided_LeavesNoTensorBehind()
    {
        DsdOptions options = Small with { ImageGuidance = 2, UnguidedSteps = 1 };
        _pipeline.Generate([new(Reference, "", 1)], options);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _pipeline.Generate([new(Reference, "", 1)], options);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void LoadAndDispose_LeaveNoTensorBehind()
    {
        PipelineOptions options = new() { Loras = [new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))] };
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        DsdPipeline.Load(Fixtures.Path("tiny-flux"), Fixtures.Path("tiny-dsd"), options).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void AFailedLoad_LeavesNoTensorBehind()
    {
        PipelineOptions options = new() { Loras = [new LoraUse(Fixtures.Path("vae.safetensors"))] };
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<WeightsException>(() => DsdPipeline.Load(Fixtures.Path("tiny-flux"), Fixtures.Path("tiny-dsd"), options));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Load_WithoutAReleaseFolder_MakesTheBaseConditional()
    {
        using DsdPipeline pipeline = DsdPipeline.Load(Fixtures.Path("tiny-flux"));
        Assert.Equal(Small.Width, pipeline.Generate([new(Reference, "", 1)], Small)[0].Width);
    }

    [Fact]
    public void Load_WithTheReleasesAdapter_DrawsOtherPictures()
    {
        PipelineOptions options = new() { Loras = [new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))] };
        using DsdPipeline adapted = DsdPipeline.Load(Fixtures.Path("tiny-flux"), Fixtures.Path("tiny-dsd"), options);
        Picture plain = _pipeline.Generate([new(Reference, "", 1)], Small)[0];
        Assert.False(plain.Pixels.SequenceEqual(adapted.Generate([new(Reference, "", 1)], Small)[0].Pixels));
    }

    [Fact]
    public void AFluxModelWithoutCondition_IsRefused()
    {
        using FluxModel model = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"));
        Assert.Throws<ArgumentException>(() => new DsdPipeline(model));
    }

    private Tensor Denoise(TensorDictionary expected, DsdOptions options)
    {
        using Tensor pixels = expected["image_u8"].contiguous();
        Picture reference = new((int)pixels.shape[1], (int)pixels.shape[0], pixels.data<byte>().ToArray());
        return _pipeline.GenerateLatents([new DsdRequest(reference, Prompts.All[1], 0)], options, new LatentOptions { Initial = expected["latents"] });
    }

    private static DsdOptions ReferenceOptions(TensorDictionary expected) => new()
    {
        Width = (int)expected["image_plain"].shape[3],
        Height = (int)expected["image_plain"].shape[2],
        Steps = 3,
        MaxTextTokens = 64,
    };
}
