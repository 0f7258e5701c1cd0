using System.Runtime.InteropServices;
using System.Text.Json;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>Whole runs of the sampling loop against the reference pipelines, from the same noise.</summary>
[Trait("Category", "Parity")]
public class OnnxPipelineParityTests(ExportedModels models) : IClassFixture<ExportedModels>
{
    private const double Tolerance = 1e-4;
    private const int TextTokens = 64;
    private static readonly string[] Prompts = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Fixtures.Path("prompts.json")))!;

    [Fact]
    public void TextToImage_GivesTheReferencesLatentsAndImage()
    {
        using TensorDictionary reference = Fixtures.Tensors("text_to_image.safetensors");
        (int height, int width) = ((int)reference["image"].shape[2], (int)reference["image"].shape[3]);
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Teacher);
        float[] latents = Floats(reference["latents"]);
        TextToImageOptions options = new() { Width = width, Height = height, Steps = 4, MaxTextTokens = TextTokens };

        latents = pipeline.Draw(new TextToImageRequest(Prompts[0], 0), options, latents);

        TensorAssert.Close(reference["final_latents"], tensor(latents, reference["latents"].shape), Tolerance);
        TensorAssert.Close(reference["image"], pipeline.DecodeUnit(latents, width, height), Tolerance);
    }

    [Theory]
    [InlineData("final_latents_plain", 1f, 1f)]
    [InlineData("final_latents_guided", 1.5f, 2f)]
    public void Dsd_GivesTheReferencesLatents(string name, float imageGuidance, float textGuidance)
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_pipeline.safetensors");
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);
        float[] latents = Floats(reference["latents"]);
        (int height, int width) = ((int)reference["image_plain"].shape[2], (int)reference["image_plain"].shape[3]);
        DsdOptions options = new()
        {
            Width = width,
            Height = height,
            Steps = 3,
            MaxTextTokens = TextTokens,
            ImageGuidance = imageGuidance,
            TextGuidance = textGuidance,
        };

        latents = pipeline.Draw(new DsdRequest(Reference(reference), Prompts[1], 0), options, latents);

        TensorAssert.Close(reference[name], tensor(latents, reference["latents"].shape), Tolerance);
    }

    [Fact]
    public void Dsd_GivesTheReferencesPicture()
    {
        using TensorDictionary reference = Fixtures.Tensors("dsd_pipeline.safetensors");
        (int height, int width) = ((int)reference["image_plain"].shape[2], (int)reference["image_plain"].shape[3]);
        using OnnxPipeline pipeline = OnnxPipeline.Open(models.Student);

        Tensor canvas = pipeline.DecodeUnit(Floats(reference["final_latents_plain"]), 2 * width, height);

        // The reference may be kept with the digits of half precision.
        TensorAssert.Close(reference["image_plain"].to(ScalarType.Float32), canvas.slice(3, width, 2 * width, 1), 1e-3);
    }

    private static Picture Reference(TensorDictionary reference) =>
        new((int)reference["image_u8"].shape[1], (int)reference["image_u8"].shape[0], reference["image_u8"].bytes.ToArray());

    private static float[] Floats(Tensor value) => MemoryMarshal.Cast<byte, float>(value.bytes).ToArray();
}
