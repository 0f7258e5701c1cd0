using Dsd.Extensions.AI;
using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.Extensions.AI;

namespace Dsd.Onnx.Alone.Tests;

/// <summary>A program that references Dsd.Onnx and no package of libtorch: docs/decisions/packages.md.</summary>
public sealed class WithoutLibtorchTests : IDisposable
{
    private static readonly string Model = Fixtures.Path("tiny-flux");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ThisProgram_HasNoLibtorch() => Assert.DoesNotContain(
        Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories),
        file => Path.GetFileNameWithoutExtension(file) is "libtorch" or "torch" or "libtorch_cpu" or "torch_cpu");

    [Fact]
    public void AModel_IsExported_AndDraws()
    {
        OnnxExporter.Export(Model, null, _folder.File("onnx"));
        using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File("onnx"));

        Picture picture = pipeline.Generate(
            [new TextToImageRequest("a fox", 7)], new TextToImageOptions { Width = 48, Height = 32, Steps = 2, MaxTextTokens = 16 })[0];

        Assert.Equal((48, 32), (picture.Width, picture.Height));
        Assert.True(picture.Pixels.ToArray().Distinct().Count() > 10);
    }

    [Fact]
    public void AnAdapter_IsMergedByAnExportAndLater_AndDraws()
    {
        LoraUse lora = new(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"));
        OnnxExportOptions options = new() { ReleaseFolder = Fixtures.Path("tiny-dsd"), Target = GraphTarget.Cuda };
        OnnxExporter.Export(Model, null, _folder.File("base"), options);
        OnnxExporter.Export(Model, lora, _folder.File("exported"), options);

        OnnxMerger.Merge(_folder.File("base"), [lora], _folder.File("merged"));

        Picture[] drawn = [.. new[] { "base", "exported", "merged" }.Select(Draw)];
        Assert.InRange(Difference(drawn[1], drawn[2]), 0, 1);
        Assert.True(Difference(drawn[0], drawn[2]) > 3, "The adapter does not show.");

        Picture Draw(string folder)
        {
            using OnnxPipeline pipeline = OnnxPipeline.Open(_folder.File(folder));
            DsdRequest request = new(Pngs.Noisy(32, 32), "a fox", 7);
            return pipeline.Generate([request], new DsdOptions { Width = 32, Height = 32, Steps = 2, MaxTextTokens = 16 })[0];
        }
        static int Difference(Picture one, Picture other) => one.Pixels.ToArray().Zip(other.Pixels.ToArray()).Max(p => Math.Abs(p.First - p.Second));
    }

    [Fact]
    public async Task AnImageGenerator_DrawsFromAnExport_WithPreviews()
    {
        OnnxExporter.Export(Model, null, _folder.File("teacher"), new OnnxExportOptions { FrameWidth = 32, FrameHeight = 32 });
        OnnxExporter.Export(
            Model, null, _folder.File("student"), new OnnxExportOptions { ReleaseFolder = Fixtures.Path("tiny-dsd"), FrameWidth = 32, FrameHeight = 32 });
        DsdImageGeneratorOptions options = new() { Frame = new DsdOptions { Width = 32, Height = 32, Steps = 3, MaxTextTokens = 16 } };
        using IImageGenerator student = DsdImageGenerator.Open(new OnnxImageModel(_folder.File("student")), options);
        using IImageGenerator teacher = DsdImageGenerator.Open(new OnnxImageModel(_folder.File("teacher")), options);
        List<DsdImageProgress> told = [];

        DataContent[] references = [.. new[] { 1, 2 }.Select(seed => new DataContent(Painted(seed).EncodePng(), "image/png"))];
        List<byte[]> drawn = [];
        foreach (DataContent reference in references)
        {
            ImageGenerationOptions asked = new ImageGenerationOptions { StreamingCount = 1 }.With(DsdImageProperties.Seed, 7).WithProgress(new Told(told));
            drawn.Add(((DataContent)(await student.EditImageAsync(reference, "a fox", asked)).Contents.Single()).Data.ToArray());
        }
        ImageGenerationResponse fromText = await teacher.GenerateImagesAsync("a fox", new ImageGenerationOptions().With(DsdImageProperties.Seed, 7));

        Assert.NotEqual(drawn[0], drawn[1]);
        Assert.Equal([1, 2, 3, 1, 2, 3], told.Select(t => t.Step));
        Assert.Equal(2, told.Count(t => t.Preview is not null));
        Assert.Equal(32, ((DsdImages)fromText.RawRepresentation!).Pictures.Single().Width);
        await Assert.ThrowsAsync<DsdImageRequestException>(() => student.GenerateImagesAsync("a fox"));
        await Assert.ThrowsAsync<DsdImageRequestException>(() => teacher.EditImageAsync(references[0], "a fox"));
        Assert.Throws<ArgumentException>(() => DsdImageGenerator.Open(new OnnxImageModel(_folder.File("teacher")) { Source = ImageSource.Reference }));

        static Picture Painted(int seed)
        {
            byte[] pixels = new byte[3 * 32 * 32];
            new Random(seed).NextBytes(pixels);
            return new Picture(32, 32, pixels);
        }
    }

    private sealed class Told(List<DsdImageProgress> told) : IProgress<DsdImageProgress>
    {
        public void Report(DsdImageProgress value) => told.Add(value);
    }

    [Fact]
    public void WhatComputesWithTorch_SaysWhichPackageToAdd()
    {
        Assert.Contains("TorchSharp-cpu", Assert.Throws<DllNotFoundException>(() => TextToImagePipeline.Load(Model)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "TorchSharp-cpu",
            Assert.Throws<DllNotFoundException>(() => LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))).Message,
            StringComparison.Ordinal);
    }
}
