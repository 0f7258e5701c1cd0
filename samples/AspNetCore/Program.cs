using Dsd.Extensions.AI;
using Dsd.Serving;
using Dsd.Tiny;
using Microsoft.Extensions.AI;

// Pictures of a reference's subject in an ASP.NET Core program, with the embedded model on the processor. Start it and open http://localhost:5000, or:
//   curl --data-binary @fox.png "http://localhost:5000/postcard?prompt=at+the+beach" --output postcard.jpg
TinyModel.Register();
WebApplicationBuilder builder = WebApplication.CreateBuilder(args);

// For an exported model, which needs no libtorch: new OnnxImageModel("dsd-onnx").
builder.Services.AddDsdImageGenerator(new TorchImageModel(TinyModel.Name)).UseLogging().UseOpenTelemetry();
WebApplication app = builder.Build();

// OpenAI's image endpoints, /health, and a page to draw with.
app.MapDsdImages();

// The generator is a service like any other.
app.MapPost("/postcard", async (HttpRequest request, string prompt, long? seed, IImageGenerator images, CancellationToken gone) =>
{
    using MemoryStream picture = new();
    await request.Body.CopyToAsync(picture, gone);
    ImageGenerationOptions options = new() { MediaType = "image/jpeg" };
    if (seed is { } given)
    {
        options.With(DsdImageProperties.Seed, given);
    }
    try
    {
        ImageGenerationResponse drawn = await images.EditImageAsync(new DataContent(picture.ToArray(), "image/png"), prompt, options, gone);
        DataContent postcard = (DataContent)drawn.Contents[0];
        return Results.Bytes(postcard.Data, postcard.MediaType);
    }
    catch (DsdImageRequestException e)
    {
        return Results.BadRequest(e.Message);
    }
});
app.Run();
