using Dsd.Imaging;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using Dsd.Testing;

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
    public void WhatComputesWithTorch_SaysWhichPackageToAdd()
    {
        Assert.Contains("TorchSharp-cpu", Assert.Throws<DllNotFoundException>(() => TextToImagePipeline.Load(Model)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "TorchSharp-cpu",
            Assert.Throws<DllNotFoundException>(() => LoraAdapter.Load(Fixtures.Path("tiny-dsd", "pytorch_lora_weights.safetensors"))).Message,
            StringComparison.Ordinal);
    }
}
