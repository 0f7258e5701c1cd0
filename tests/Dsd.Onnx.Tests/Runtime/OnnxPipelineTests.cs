using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

namespace Dsd.Onnx.Tests.Runtime;

public class OnnxPipelineTests(ExportedModels models) : IClassFixture<ExportedModels>
{
    private static readonly DsdOptions Small = new() { Width = 48, Height = 32, Steps = 3, MaxTextTokens = 16 };
    private static readonly TextToImageOptions SmallText = new() { Width = 48, Height = 32, Steps = 2, MaxTextTokens = 16 };
    private static readonly Picture Reference = new(32, 20, [.. Enumerable.Range(0, 32 * 20 * 3).Select(i => (byte)(i * i / 7))]);

    [Fact]
    public void Generate_GivesTheSamePicture_AloneAndInABatch()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Adapted);
        DsdOptions guided = Small with { ImageGuidance = 1.5f, TextGuidance = 2f };
        DsdRequest request = new(Reference, "a fox", 7);

        IReadOnlyList<Picture> alone = pipeline.Generate([request], guided);
        IReadOnlyList<Picture> batch = pipeline.Generate(
            [new DsdRequest(Reference.Crop(5, 2, 16, 16), "a dragon", 8), request, request with { Seed = 9 }], guided);

        Assert.Equal((48, 32), (alone[0].Width, alone[0].Height));
        AssertSame(alone[0], batch[1]);
        Assert.False(batch[0].Pixels.SequenceEqual(batch[1].Pixels));
        Assert.False(batch[1].Pixels.SequenceEqual(batch[2].Pixels));
    }

    [Fact]
    public void Generate_FromText_GivesTheSamePicture_AloneAndInABatch()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher);
        TextToImageRequest request = new("a fox", 7);

        IReadOnlyList<Picture> alone = pipeline.Generate([request], SmallText);
        IReadOnlyList<Picture> batch = pipeline.Generate([new TextToImageRequest("", 8), request], SmallText);

        AssertSame(alone[0], batch[1]);
    }

    [Fact]
    public void Generate_FromText_RunsAStudentWithoutACondition()
    {
        using OnnxPipeline student = OnnxPipeline.Open(models.Student);

        Picture picture = student.Generate([new TextToImageRequest("a fox", 7)], SmallText)[0];

        Assert.Equal((48, 32), (picture.Width, picture.Height));
    }

    [Theory]
    [InlineData(1f, 1f, false)]
    [InlineData(1.5f, 2f, true)]
    [InlineData(1f, 2f, false)]
    public void Generate_GivesThePictureOfTheTorchPipeline(float imageGuidance, float textGuidance, bool sampleCondition)
    {
        using OnnxPipeline onnx = OnnxPipeline.Open(models.Adapted);
        using DsdPipeline torch = DsdPipeline.Load(
            Fixtures.Path("tiny-flux"), Fixtures.Path("tiny-dsd"),
            new PipelineOptions { Loras = [new LoraUse(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))] });
        DsdOptions options = Small with { ImageGuidance = imageGuidance, TextGuidance = textGuidance, SampleCondition = sampleCondition };
        DsdRequest[] requests = [new(Reference, "a fox", 7), new(Reference, "a dragon", 8)];

        IReadOnlyList<Picture> expected = torch.Generate(requests, options);
        IReadOnlyList<Picture> actual = onnx.Generate(requests, options);

        AssertSame(expected[0], actual[0]);
        AssertSame(expected[1], actual[1]);
    }

    [Fact]
    public void Generate_RefusesABlockCache()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);

        void IsRefused(Action generate) =>
            Assert.Contains("BlockCache", Assert.Throws<ArgumentException>(generate).Message, StringComparison.Ordinal);
        IsRefused(() => pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Small with { BlockCache = 0.1f }));
        IsRefused(() => pipeline.Generate([new TextToImageRequest("a fox", 7)], SmallText with { BlockCache = 0.1f }));
    }

    [Fact]
    public void Generate_RefusesAReferenceThatShowsNothing()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);

        Assert.Throws<ArgumentException>(() => pipeline.Generate([new DsdRequest(Reference.Crop(0, 0, 1, 1), "a fox", 7)], Small));
    }

    [Fact]
    public void Generate_FromAReference_IsRefusedByATeacher()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher);

        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Small));

        Assert.Contains(models.Teacher, e.Message);
        Assert.Contains("c_embedder", e.Message);
    }

    [Fact]
    public void Generate_SampledCondition_DependsOnTheSeedAlone()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);
        DsdRequest request = new(Reference, "a fox", 7);
        DsdOptions sampled = Small with { SampleCondition = true };

        Picture first = pipeline.Generate([request], sampled)[0];

        AssertSame(first, pipeline.Generate([request], sampled)[0]);
        Assert.False(first.Pixels.SequenceEqual(pipeline.Generate([request], Small)[0].Pixels));
    }

    [Fact]
    public void Generate_ReportsEveryStep()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);
        RecordedProgress progress = new();

        pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Small, progress);

        Assert.Equal([1, 2, 3], progress.Steps.Select(s => s.Step));
        Assert.Equal(1f, progress.Steps[0].Sigma);
    }

    [Fact]
    public void Generate_StopsBetweenSteps_WhenCancelled()
    {
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);
        using CancellationTokenSource source = new();
        RecordedProgress progress = new() { Then = source.Cancel };

        Assert.ThrowsAny<OperationCanceledException>(() => pipeline.Generate([new DsdRequest(Reference, "a fox", 7)], Small, progress, source.Token));

        Assert.Single(progress.Steps);
    }

    [Fact]
    public void Generate_WarnsOfAPromptThatIsCut_ForEachEncoder()
    {
        List<string> warnings = [];
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher, new OnnxRuntimeOptions { Warn = warnings.Add });

        pipeline.Generate([new TextToImageRequest(string.Concat(Enumerable.Repeat("a fox on a chair ", 50)), 1)], SmallText);

        Assert.Contains(warnings, w => w.Contains("the 16 tokens that T5 takes", StringComparison.Ordinal));
        Assert.Contains(warnings, w => w.Contains("tokens that CLIP takes", StringComparison.Ordinal));
    }

    [Fact]
    public void Generate_AfterDisposal_Throws()
    {
        OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher);
        pipeline.Dispose();

        Assert.Throws<ObjectDisposedException>(() => pipeline.Generate([new TextToImageRequest("a fox", 1)], SmallText));
    }

    [Fact]
    public void Open_RefusesOptionsOfAGpu_OnTheProcessor() =>
        Assert.Throws<ArgumentException>(() => OnnxPipeline.Open(models.Teacher, new OnnxRuntimeOptions { Device = 1 }));

    [Fact]
    public void Open_ForCuda_SaysWhatIsMissing_WhereThereIsNone()
    {
        OnnxRuntimeOptions options = new()
        {
            Providers = [OnnxProvider.Cuda],
            ProviderLibraries = new Dictionary<OnnxProvider, string> { [OnnxProvider.Cuda] = Path.Combine(models.Teacher, "no-such-library.so") },
        };
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher, options);

        NotSupportedException e = Assert.Throws<NotSupportedException>(() => pipeline.Generate([new TextToImageRequest("a fox", 1)], SmallText));

        Assert.Contains("no-such-library.so", e.Message);
        Assert.Contains("Microsoft.ML.OnnxRuntime.Gpu", e.Message);
        Assert.Contains("DsdOnnxCuda", e.Message);
    }

    // A batch may add up its products in another order: the last bit of a byte can differ.
    private static void AssertSame(Picture expected, Picture actual)
    {
        int[] differences = [.. Enumerable.Range(0, expected.Pixels.Length).Select(i => Math.Abs(expected.Pixels[i] - actual.Pixels[i]))];
        Assert.True(differences.Max() <= 1, $"Pixels differ by up to {differences.Max()}.");
    }

    private sealed class RecordedProgress : IProgress<SamplingProgress>
    {
        public List<SamplingProgress> Steps { get; } = [];

        public Action? Then { get; init; }

        public void Report(SamplingProgress value)
        {
            Steps.Add(value);
            Then?.Invoke();
        }
    }
}
