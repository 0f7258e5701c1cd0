using System.ClientModel;
using Dsd.Extensions.AI;
using Dsd.Imaging;
using Dsd.Tiny;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Images;

namespace Dsd.Serving.Tests.Http;

/// <summary>OpenAI's own client, as anybody has it, and the generator that Microsoft.Extensions.AI lays over it.</summary>
[Collection(TinyStudent.Collection)]
public sealed class OpenAITests(TinyStudent tiny) : IAsyncLifetime
{
    private const string Token = "a token of many letters";
    private ImageHost _host = null!;

    private ImageClient Client => ClientWith(Token.Replace(' ', '-'));

    public async Task InitializeAsync() =>
        _host = await ImageHost.StartAsync(tiny.Generator, new DsdServingOptions { Token = Token.Replace(' ', '-') });

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Edits_OfTwoReferences_GiveDifferentPictures()
    {
        ImageEditOptions options = new() { Size = new GeneratedImageSize(128, 128) };
        GeneratedImage first = await Client.GenerateImageEditAsync(new MemoryStream(TinyStudent.FirstReference), "fox.png", "at the beach", options);
        GeneratedImage second = await Client.GenerateImageEditAsync(new MemoryStream(TinyStudent.SecondReference), "fox.png", "at the beach", options);

        Picture[] pictures = [.. new[] { first, second }.Select(i => Picture.Decode(i.ImageBytes, "drawn"))];
        Assert.All(pictures, p => Assert.Equal((128, 128), (p.Width, p.Height)));
        Assert.NotEqual(pictures[0].Pixels.ToArray(), pictures[1].Pixels.ToArray());
    }

    [Fact]
    public async Task Edits_GiveAsManyAsAskedFor_InTheFormat()
    {
        GeneratedImageCollection images = await Client.GenerateImageEditsAsync(
            new MemoryStream(TinyStudent.FirstReference), "fox.png", "at the beach", 3,
            new ImageEditOptions { OutputFileFormat = GeneratedImageFileFormat.Jpeg, OutputCompressionFactor = 80 });

        Assert.Equal(3, images.Count);
        Assert.All(images, i => Assert.Equal(0xFF, i.ImageBytes.ToArray()[0]));
        Assert.InRange(images.CreatedAt, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task Generations_WithAStudent_SayThatAReferenceIsNeeded()
    {
        ClientResultException thrown = await Assert.ThrowsAsync<ClientResultException>(() => Client.GenerateImageAsync("a fox"));

        Assert.Equal(400, thrown.Status);
        Assert.Contains("/v1/images/edits", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generations_WithATeacher_DrawFromText()
    {
        using DsdImageGenerator teacher = DsdImageGenerator.Open(new TorchImageModel(TinyModel.Name) { Source = ImageSource.Text }, TinyStudent.Quick);
        await using ImageHost host = await ImageHost.StartAsync(teacher);
        ImageClient client = new("tiny", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(host.Address, "v1") });

        GeneratedImage image = await client.GenerateImageAsync(
            "a red fox", new OpenAI.Images.ImageGenerationOptions { Size = new GeneratedImageSize(128, 96) });

        Picture picture = Picture.Decode(image.ImageBytes, "drawn");
        Assert.Equal((128, 96), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task AWrongToken_IsRefused()
    {
        ClientResultException thrown = await Assert.ThrowsAsync<ClientResultException>(
            () => ClientWith("another-token-of-letters").GenerateImageEditAsync(new MemoryStream(TinyStudent.FirstReference), "fox.png", "a"));

        Assert.Equal(401, thrown.Status);
    }

    [Fact]
    public async Task AnotherModelsName_IsRefused()
    {
        ImageClient client = new(
            "gpt-image-1", new ApiKeyCredential(Token.Replace(' ', '-')), new OpenAIClientOptions { Endpoint = new Uri(_host.Address, "v1") });

        ClientResultException thrown = await Assert.ThrowsAsync<ClientResultException>(
            () => client.GenerateImageEditAsync(new MemoryStream(TinyStudent.FirstReference), "fox.png", "a"));

        Assert.Equal(404, thrown.Status);
        Assert.Contains("'tiny'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMask_IsRefused()
    {
        ClientResultException thrown = await Assert.ThrowsAsync<ClientResultException>(() => Client.GenerateImageEditAsync(
            new MemoryStream(TinyStudent.FirstReference), "fox.png", "a", new MemoryStream(TinyStudent.FirstReference), "mask.png"));

        Assert.Equal(400, thrown.Status);
        Assert.Contains("'mask'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheGeneratorOfMicrosoftExtensionsAI_DrawsOverIt()
    {
        using IImageGenerator remote = Client.AsIImageGenerator();

        ImageGenerationResponse drawn = await remote.EditImageAsync(new DataContent(TinyStudent.FirstReference, "image/png"), "on the moon");

        Assert.Equal(128, Picture.Decode(Assert.IsType<DataContent>(Assert.Single(drawn.Contents)).Data.Span, "drawn").Width);
    }

    private ImageClient ClientWith(string token) =>
        new("tiny", new ApiKeyCredential(token), new OpenAIClientOptions { Endpoint = new Uri(_host.Address, "v1") });
}
