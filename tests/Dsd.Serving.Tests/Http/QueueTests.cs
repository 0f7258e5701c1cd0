using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dsd.Extensions.AI;

namespace Dsd.Serving.Tests.Http;

/// <summary>Turns, the queue's bound, and clients that leave, with a model whose steps the test lets go.</summary>
public sealed class QueueTests : IAsyncLifetime
{
    private readonly HeldModel _model = new();
    private DsdImageGenerator _generator = null!;
    private ImageHost _host = null!;

    public async Task InitializeAsync()
    {
        _generator = new DsdImageGenerator(_model, null, TinyStudent.Quick with { Frame = TinyStudent.Quick.Frame! with { Steps = 10 } });
        _host = await ImageHost.StartAsync(_generator, new DsdServingOptions { MaxWaiting = 2 });
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _generator.Dispose();
    }

    [Fact]
    public async Task Requests_BeyondTheBound_AreAnswered429_AndOthersInTheirOrder()
    {
        long refused = 0;
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument is { Name: "dsd.serving.requests", Meter.Name: DsdServing.MeterName })
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            foreach (KeyValuePair<string, object?> tag in tags)
            {
                Interlocked.Add(ref refused, tag is { Key: "outcome", Value: "full" } ? value : 0);
            }
        });
        listener.Start();
        List<Task<HttpResponseMessage>> inside = [];
        for (int i = 0; i < 3; i++)
        {
            inside.Add(AskAsync($"{i}"));
            int so = i + 1;
            await Until.Is(() => Health() is var h && h.Drawing + h.Waiting == so && _model.Begun == 1, $"{so} inside");
        }

        HttpResponseMessage[] beyond = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AskAsync("beyond")));

        Assert.All(beyond, answer => Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode));
        Assert.All(beyond, answer => Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 600));
        Assert.Contains("rate_limit_exceeded", await beyond[0].Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((1, 2), Health());
        Assert.Equal(4, Volatile.Read(ref refused));
        _model.Let(30);
        Assert.All(await Task.WhenAll(inside), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(["0", "1", "2"], _model.Prompts);
        Assert.Equal((0, 0), Health());
    }

    [Theory]
    [InlineData("v1/images/edits", false)]
    [InlineData("v1/images/edits", true)]
    [InlineData("api/draw", true)]
    public async Task AClientThatLeaves_EndsItsPicture_AndTheNextOnesBegins(string path, bool streams)
    {
        using CancellationTokenSource leaves = new();
        Task<HttpResponseMessage> leaving = AskAsync("leaves", path, streams, leaves.Token);
        await Until.Is(() => _model.Begun == 1, "it begins");
        _model.Let(3);
        await Until.Is(() => _model.Done == 3, "three steps");
        Task<HttpResponseMessage> next = AskAsync("next");

        await leaves.CancelAsync();
        // A stream's answer begins before its picture is done.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await (await leaving).Content.ReadAsStringAsync(leaves.Token));
        if (streams && leaving.IsCompletedSuccessfully)
        {
            (await leaving).Dispose();
        }

        await Until.Is(() => _model.Cancelled == 1, "its steps stop");
        await Until.Is(() => _model.Begun == 2, "the next begins");
        Assert.Equal(3, _model.Done);
        _model.Let(10);
        Assert.Equal(HttpStatusCode.OK, (await next).StatusCode);
    }

    [Fact]
    public async Task AClientThatLeavesWhileItWaits_IsNeverDrawn()
    {
        using CancellationTokenSource leaves = new();
        Task<HttpResponseMessage> first = AskAsync("first");
        await Until.Is(() => _model.Begun == 1, "the first begins");
        Task<HttpResponseMessage> waiting = AskAsync("waits", cancellationToken: leaves.Token);
        await Until.Is(() => Health().Waiting == 1, "the second waits");

        await leaves.CancelAsync();

        await Until.Is(() => Health().Waiting == 0, "it has gone");
        _model.Let(10);
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(["first"], _model.Prompts);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task AStoppingServer_EndsWhatIsDrawn()
    {
        Task<HttpResponseMessage> asked = AskAsync("a");
        await Until.Is(() => _model.Begun == 1, "it begins");

        await _host.App.StopAsync();

        Assert.Equal(1, _model.Cancelled);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await asked).StatusCode);
    }

    private (int Drawing, int Waiting) Health()
    {
        JsonElement health = _host.Http.GetFromJsonAsync<JsonElement>("health").GetAwaiter().GetResult();
        return (health.GetProperty("drawing").GetInt32(), health.GetProperty("waiting").GetInt32());
    }

    private Task<HttpResponseMessage> AskAsync(
        string prompt, string path = "v1/images/edits", bool streams = false, CancellationToken cancellationToken = default)
    {
        List<(string, string)> fields = [("prompt", prompt)];
        if (streams && path != "api/draw")
        {
            fields.Add(("stream", "true"));
        }
        HttpRequestMessage request = new(HttpMethod.Post, path) { Content = ImageHost.Form(TinyStudent.FirstReference, [.. fields]) };
        return _host.Http.SendAsync(
            request, streams ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead, cancellationToken);
    }
}
