using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dsd.Imaging;

namespace Dsd.Serving.Tests.Http;

/// <summary>What requests are answered with.</summary>
[Collection(TinyStudent.Collection)]
public sealed class RequestTests(TinyStudent tiny) : IAsyncLifetime
{
    private ImageHost _host = null!;

    public async Task InitializeAsync() => _host = await ImageHost.StartAsync(tiny.Generator, new DsdServingOptions { MaxRequestBytes = 200_000 });

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Edits_GiveSeedSizeAndFormat()
    {
        using HttpResponseMessage answer = await _host.Http.PostAsync(
            "v1/images/edits", ImageHost.Form(TinyStudent.FirstReference, ("prompt", "a"), ("seed", "7"), ("steps", "1"), ("size", "64x96"), ("n", "2")));

        JsonElement body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(("64x96", "png"), (body.GetProperty("size").GetString(), body.GetProperty("output_format").GetString()));
        JsonElement[] data = [.. body.GetProperty("data").EnumerateArray()];
        Assert.Equal([7, 8], data.Select(d => d.GetProperty("seed").GetInt64()));
        Picture picture = Picture.Decode(data[0].GetProperty("b64_json").GetBytesFromBase64(), "drawn");
        Assert.Equal((64, 96), (picture.Width, picture.Height));
    }

    [Theory]
    [InlineData("size", "100x100", "size", "multiples of 16")]
    [InlineData("size", "2048x2048", "size", "at most 65536 pixels")]
    [InlineData("size", "large", "size", "512x512")]
    [InlineData("n", "0", "n", "1 to 10")]
    [InlineData("n", "many", "n", "a whole number")]
    [InlineData("response_format", "url", "response_format", "b64_json")]
    [InlineData("output_format", "tiff", "output_format", "image/png")]
    [InlineData("output_compression", "80", "output_compression", "JPEG")]
    [InlineData("background", "transparent", "background", "transparency")]
    [InlineData("quality", "high", "quality", "steps")]
    [InlineData("input_fidelity", "high", "input_fidelity", "image_guidance")]
    [InlineData("steps", "1000", "steps", "1 to 100")]
    [InlineData("text_guidance", "NaN", "text_guidance", "a number")]
    [InlineData("partial_images", "2", "partial_images", "stream")]
    [InlineData("stream", "yes", "stream", "true or false")]
    [InlineData("stepz", "3", "stepz", "steps")]
    public async Task Edits_OfWhatCannotBeDrawn_SayWhichFieldAndWhy(string field, string value, string param, string named)
    {
        using HttpResponseMessage answer = await _host.Http.PostAsync(
            "v1/images/edits", ImageHost.Form(TinyStudent.FirstReference, ("prompt", "a"), (field, value)));

        JsonElement error = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal((param, "invalid_request_error"), (error.GetProperty("param").GetString(), error.GetProperty("type").GetString()));
        Assert.Contains(named, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(error.GetProperty("code").GetString()!);
    }

    [Theory]
    [InlineData("[1]", 400, "object")]
    [InlineData("{\"prompt\":", 400, "JSON")]
    [InlineData("{\"n\":1}", 400, "prompt")]
    [InlineData("{\"prompt\":[\"a\"]}", 400, "a text")]
    [InlineData("{\"prompt\":\"a\",\"prompt\":\"b\"}", 400, "more than once")]
    [InlineData("{\"prompt\":\"a\"}", 400, "/v1/images/edits")]
    public async Task Generations_OfWrongBodies_SayWhatIsWrong(string json, int status, string named)
    {
        using StringContent body = new(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await _host.Http.PostAsync("v1/images/generations", body);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(
            named, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_OfAnotherKind_AreRefused()
    {
        using StringContent text = new("prompt=a", Encoding.UTF8, "application/x-www-form-urlencoded");
        using HttpResponseMessage edits = await _host.Http.PostAsync("v1/images/edits", text);
        using HttpResponseMessage generations = await _host.Http.PostAsync(
            "v1/images/generations", ImageHost.Form(TinyStudent.FirstReference, ("prompt", "a")));
        using HttpResponseMessage none = await _host.Http.PostAsync("v1/images/edits", ImageHost.Form(null, ("prompt", "a")));

        Assert.Equal(
            [HttpStatusCode.UnsupportedMediaType, HttpStatusCode.UnsupportedMediaType, HttpStatusCode.BadRequest],
            [edits.StatusCode, generations.StatusCode, none.StatusCode]);
    }

    [Fact]
    public async Task AnUploadBeyondTheBound_IsRefused()
    {
        using HttpResponseMessage answer = await _host.Http.PostAsync("v1/images/edits", ImageHost.Form(new byte[300_000], ("prompt", "a")));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("200000 bytes", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task APictureThatClaimsAHugeSize_IsRefused()
    {
        byte[] png = (byte[])TinyStudent.FirstReference.Clone();
        // Width and height stand in the header, most significant byte first.
        (png[18], png[22]) = (0x3F, 0x3F);
        using HttpResponseMessage answer = await _host.Http.PostAsync("v1/images/edits", ImageHost.Form(png, ("prompt", "a")));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Streams_SendPreviewsAndThenThePicture()
    {
        using HttpResponseMessage answer = await _host.Http.PostAsync(
            "v1/images/edits",
            ImageHost.Form(
                TinyStudent.FirstReference, ("prompt", "a"), ("seed", "7"), ("steps", "4"), ("stream", "true"), ("partial_images", "2"),
                ("output_format", "webp")));

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        JsonElement[] events = [.. Events(await answer.Content.ReadAsStringAsync())];
        Assert.Equal(
            ["image_edit.partial_image", "image_edit.partial_image", "image_edit.completed"], events.Select(e => e.GetProperty("type").GetString()));
        Assert.Equal([0, 1], events.Take(2).Select(e => e.GetProperty("partial_image_index").GetInt32()));
        Assert.All(events, e => Assert.Equal(128, Picture.Decode(e.GetProperty("b64_json").GetBytesFromBase64(), "event").Width));
        Assert.Equal(7, events[2].GetProperty("seed").GetInt64());
    }

    [Fact]
    public async Task HealthAndModels_Answer()
    {
        JsonElement health = await _host.Http.GetFromJsonAsync<JsonElement>("health");
        JsonElement models = await _host.Http.GetFromJsonAsync<JsonElement>("v1/models");

        Assert.Equal("ok", health.GetProperty("status").GetString());
        Assert.Equal((0, 0), (health.GetProperty("drawing").GetInt32(), health.GetProperty("waiting").GetInt32()));
        Assert.Equal("tiny", models.GetProperty("data")[0].GetProperty("id").GetString());
    }

    private static IEnumerable<JsonElement> Events(string text) => text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
        .Select(e => JsonDocument.Parse(e.Split('\n')[1]["data: ".Length..]).RootElement);
}
