using System.ClientModel;
using Dsd.Extensions.AI;
using Dsd.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;
using OpenAI.Images;
using ImageGenerationOptions = Microsoft.Extensions.AI.ImageGenerationOptions;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/serving.md shows, compiled here.</summary>
internal static class ServingSamples
{
    public static async Task DrawAsync(IServiceCollection services)
    {
        services.AddDsdImageGenerator(new TorchImageModel("FLUX.1-dev") { ReleaseFolder = "dsd_model" }).UseLogging().UseOpenTelemetry();
        services.AddKeyedDsdImageGenerator("exported", new OnnxImageModel("dsd-onnx"));
        // or, without services:
        using DsdImageGenerator generator = DsdImageGenerator.Open(new OnnxImageModel("dsd-onnx"));

        ImageGenerationResponse drawn = await generator.EditImageAsync(
            new DataContent(await File.ReadAllBytesAsync("my-toy.jpg"), "image/jpeg"),
            "the toy rides a train at sunset",
            new ImageGenerationOptions { Count = 2 }.With(DsdImageProperties.Seed, 7));
    }

    public static async Task AskAsync()
    {
        ImageClient client = new("tiny", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri("http://127.0.0.1:8080/v1") });
        GeneratedImage image = await client.GenerateImageEditAsync("fox.png", "at the beach");
    }

    public static void Serve(WebApplicationBuilder builder)
    {
        builder.Services.AddDsdImageGenerator(new TorchImageModel("tiny"));
        WebApplication app = builder.Build();
        app.MapGroup("/images").MapDsdImages(new DsdServingOptions { AppChecksCallers = true }).RequireAuthorization();
    }
}
