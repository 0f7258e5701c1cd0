using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Sampling;

public sealed class TextToImagePipelineTests : IDisposable
{
    private readonly List<string> _warnings = [];
    private readonly TextToImagePipeline _pipeline;

    public TextToImagePipelineTests() =>
        _pipeline = TextToImagePipeline.Load(Fixtures.Path("tiny-flux"), new PipelineOptions { Warn = _warnings.Add });

    private TextToImageOptions Small =>
        new() { Width = 2 * Pictures.Side(_pipeline.Model), Height = 3 * Pictures.Side(_pipeline.Model), Steps = 2, MaxTextTokens = 16 };

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    [Trait("Category", "Parity")]
    public void Latents_AreTheReferences()
    {
        using TensorDictionary expected = Fixtures.Tensors("text_to_image.safetensors");
        using Tensor latents = _pipeline.GenerateLatents(
            [new(Prompts.All[0], 0)], ReferenceOptions(expected), new LatentOptions { Initial = expected["latents"] });
        TensorAssert.Close(expected["final_latents"], latents);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void Decoded_TheyAreTheReferencesImage()
    {
        using TensorDictionary expected = Fixtures.Tensors("text_to_image.safetensors");
        using IDisposable noGrad = no_grad();
        TextToImageOptions options = ReferenceOptions(expected);
        using Tensor image = _pipeline.Model.DecodeImages(expected["final_latents"], _pipeline.Model.CanvasOf(options.Width, options.Height));
        using Tensor unit = (image / 2 + 0.5).clamp(0, 1);
        TensorAssert.Close(expected["image"], unit);
    }

    [Fact]
    public void APicture_IsTheSameAloneAndInABatch()
    {
        TextToImageRequest request = new("a red fox", 5);
        Picture alone = _pipeline.Generate([request], Small)[0];
        Picture among = _pipeline.Generate([new("a blue cat on a hill", 6), request], Small)[1];
        Pictures.Near(alone, among);
    }

    [Fact]
    public void TheSeed_DecidesThePicture()
    {
        IReadOnlyList<Picture> pictures = _pipeline.Generate([new("", 1), new("", 2)], Small);
        Assert.False(pictures[0].Pixels.SequenceEqual(pictures[1].Pixels));
    }

    [Fact]
    public void AnEmptyPrompt_IsAPromptToo()
    {
        Picture picture = _pipeline.Generate([new("", 1)], Small)[0];
        Assert.Equal((Small.Width, Small.Height), (picture.Width, picture.Height));
    }

    [Fact]
    public void ALongPrompt_IsCutOffWithAWarning()
    {
        _pipeline.Generate([new("short", 1), new(string.Join(' ', Enumerable.Repeat("word", 100)), 1)], Small);
        Assert.Contains(_warnings, w => w.StartsWith("Prompt 1 has more than the 16 tokens that T5 takes", StringComparison.Ordinal));
    }

    [Fact]
    public void Progress_IsReportedAfterEachStep()
    {
        Steps progress = new();
        _pipeline.Generate([new("", 1)], Small, progress);
        Assert.Equal([(1, 2), (2, 2)], progress.Seen.Select(p => (p.Step, p.Steps)));
    }

    [Fact]
    public void Cancelled_ItStopsBeforeTheNextStep()
    {
        using CancellationTokenSource source = new();
        Steps progress = new(source.Cancel);
        Assert.Throws<OperationCanceledException>(() => _pipeline.Generate([new("", 1)], Small, progress, source.Token));
        Assert.Single(progress.Seen);
    }

    [Fact]
    public void Cancelled_ItLeavesNoTensorBehind()
    {
        _pipeline.Generate([new("", 1)], Small);
        using CancellationTokenSource source = new();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<OperationCanceledException>(() => _pipeline.Generate([new("", 1)], Small, new Steps(source.Cancel), source.Token));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Generate_LeavesNoTensorBehind()
    {
        _pipeline.Generate([new("", 1)], Small);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _pipeline.Generate([new("", 1)], Small);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Loaded_InsideADisposeScope_ItOutlivesTheScope()
    {
        TextToImagePipeline pipeline;
        using (NewDisposeScope())
        {
            pipeline = TextToImagePipeline.Load(
                Fixtures.Path("tiny-flux"), new PipelineOptions { Loras = [new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))] });
        }
        Assert.Single(pipeline.Generate([new("", 1)], Small));
        pipeline.Dispose();
    }

    [Fact]
    public void Generate_RefusesNoRequests() =>
        Assert.Throws<ArgumentException>(() => _pipeline.Generate([], Small));

    [Fact]
    public void Load_RefusesAConditionalTransformer()
    {
        using TemporaryFolder folder = TemporaryFolder.CopyOf(Fixtures.Path("tiny-flux"));
        folder.Add(Fixtures.Path("tiny-dsd", "transformer"), "transformer");
        WeightsException e = Assert.Throws<WeightsException>(() => TextToImagePipeline.Load(folder.Path));
        Assert.Contains("load it as a conditional model", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NamesBothNumbersThatContradictEachOtherInTheSchedule()
    {
        using TemporaryFolder folder = TemporaryFolder.CopyOf(Fixtures.Path("tiny-flux"));
        string config = folder.File("scheduler", "scheduler_config.json");
        File.WriteAllText(config, """{"_class_name": "FlowMatchEulerDiscreteScheduler", "base_image_seq_len": 256, "max_image_seq_len": 3}""");
        WeightsException e = Assert.Throws<WeightsException>(() => TextToImagePipeline.Load(folder.Path));
        Assert.Contains("max_image_seq_len must be above base_image_seq_len (256), but is 3", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PartsThatDoNotFitTogether_AreNamedWithBothSizes()
    {
        TextEncoders text = ((FluxModel)_pipeline.Model).Text;
        using FluxTransformer other = new(FluxFixture.Tiny with { JointAttentionDim = 7, InChannels = 4 * _pipeline.Model.Vae.Config.LatentChannels });
        ArgumentException e = Assert.Throws<ArgumentException>(() => new FluxModel(text, other, _pipeline.Model.Vae, new SchedulerConfig()));
        Assert.Contains($"joint_attention_dim (7) must be T5's d_model ({text.T5.Config.DModel})", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesWhatSavesAGpusMemoryWithoutAGpu()
    {
        string Message(PipelineOptions options) =>
            Assert.Throws<ArgumentException>(() => TextToImagePipeline.Load(Fixtures.Path("tiny-flux"), options)).Message;
        Assert.Contains(
            "Memory is Streamed, which saves a GPU's memory, but Device is the CPU",
            Message(new PipelineOptions { Memory = MemoryMode.Streamed }),
            StringComparison.Ordinal);
        Assert.Contains("Float8 needs a CUDA device", Message(new PipelineOptions { Float8 = true, DType = ScalarType.BFloat16 }), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PipelineOptions { Memory = (MemoryMode)7 });
    }

    [Fact]
    public void Load_WithAnAdapter_DrawsOtherPictures()
    {
        using TextToImagePipeline adapted = TextToImagePipeline.Load(
            Fixtures.Path("tiny-flux"), new PipelineOptions { Loras = [new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))] });
        Picture plain = _pipeline.Generate([new("", 1)], Small)[0];
        Assert.False(plain.Pixels.SequenceEqual(adapted.Generate([new("", 1)], Small)[0].Pixels));
    }

    /// <summary>The size is the reference image's, the steps and T5 tokens those that the fixtures were made with.</summary>
    private static TextToImageOptions ReferenceOptions(TensorDictionary expected) => new()
    {
        Width = (int)expected["image"].shape[3],
        Height = (int)expected["image"].shape[2],
        Steps = 4,
        MaxTextTokens = 64,
    };
}
