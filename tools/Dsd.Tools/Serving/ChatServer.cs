using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dsd.Tools.Serving;

/// <summary>
/// A server on loopback that speaks as much of OpenAI's protocol as judges use, for tests and measurements: <c>POST /v1/chat/completions</c>, whole
/// or streamed, with token counts,
/// a latency, and faults on demand.
/// </summary>
internal sealed class ChatServer : IAsyncDisposable
{
    private const int MaxQuestionBytes = 64 * 1024 * 1024;
    private readonly WebApplication _app;
    private readonly ChatServerOptions _options;
    private readonly ConcurrentQueue<ChatQuestion> _questions = new();
    private readonly Lock _gate = new();
    private int _asked;
    private int _under;
    private int _most;
    private int _given;

    private ChatServer(WebApplication app, ChatServerOptions options) => (_app, _options) = (app, options);

    /// <summary>Where the protocol begins.</summary>
    public Uri Address => new($"{_app.Urls.First()}/v1");

    /// <summary>What was asked so far.</summary>
    public IReadOnlyCollection<ChatQuestion> Questions => _questions;

    /// <summary>How many requests came.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>How many whole answers went out.</summary>
    public int Given => Volatile.Read(ref _given);

    /// <summary>How many requests are under way.</summary>
    public int UnderWay => Volatile.Read(ref _under);

    /// <summary>The most requests that were under way at once.</summary>
    public int MostAtOnce => Volatile.Read(ref _most);

    /// <summary>Starts a server on a free port of loopback.</summary>
    public static async Task<ChatServer> StartAsync(ChatServerOptions options)
    {
        // Nothing of the machine is read: no settings file, no environment.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxQuestionBytes);
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        ChatServer server = new(app, options);
        app.MapPost("/v1/chat/completions", server.HandleAsync);
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new();
        now.Cancel();
        // Hanging requests are not waited for.
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        long at = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _most = Math.Max(_most, ++_under);
        }
        try
        {
            await AnswerAsync(context, at);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone, and nobody reads an answer.
        }
        finally
        {
            lock (_gate)
            {
                _under--;
            }
        }
    }

    private async Task AnswerAsync(HttpContext context, long at)
    {
        CancellationToken gone = context.RequestAborted;
        using JsonDocument body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: gone);
        ChatQuestion question = new(
            Interlocked.Increment(ref _asked) - 1, at, context.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString()),
            _options.Keeps ? body.RootElement.Clone() : body.RootElement);
        if (_options.Keeps)
        {
            _questions.Enqueue(question);
        }
        ChatFault? fault = _options.Fault(question);
        switch (fault)
        {
            case ChatFault.Status status:
                context.Response.StatusCode = status.Code;
                if (status.Header is not null)
                {
                    context.Response.Headers[status.Header] = status.Value;
                }
                await context.Response.WriteAsJsonAsync(new { error = new { message = status.Message, type = "injected", code = status.Code } }, gone);
                return;
            case ChatFault.Hang:
                await Task.Delay(Timeout.Infinite, gone);
                return;
            case ChatFault.Cut:
                context.Abort();
                return;
            case ChatFault.Body raw:
                context.Response.StatusCode = raw.Code;
                context.Response.ContentType = raw.Type;
                await context.Response.WriteAsync(raw.Text, gone);
                return;
        }
        TimeSpan latency = fault is ChatFault.Slow slow ? slow.Time : _options.Latency;
        string content = fault is ChatFault.Answer wrong ? wrong.Text : await _options.Answer(question, gone);
        TimeSpan left = latency - Stopwatch.GetElapsedTime(at);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, gone);
        }
        (string type, byte[] answer) = question.Stream ? ("text/event-stream", Streamed(question, content)) : ("application/json", Whole(question, content));
        context.Response.ContentType = type;
        if (fault is ChatFault.Half)
        {
            await context.Response.Body.WriteAsync(answer.AsMemory(0, answer.Length / 2), gone);
            await context.Response.Body.FlushAsync(gone);
            context.Abort();
            return;
        }
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer, gone);
        Interlocked.Increment(ref _given);
    }

    private static byte[] Whole(ChatQuestion question, string content) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        id = $"chatcmpl-{question.Number}",
        @object = "chat.completion",
        created = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
        model = question.Model,
        choices = new[] { new { index = 0, message = new { role = "assistant", content }, finish_reason = "stop" } },
        usage = Usage(question, content),
    });

    private static byte[] Streamed(ChatQuestion question, string content)
    {
        StringBuilder stream = new();
        void Event(object choice, object? usage) => stream.Append("data: ").Append(JsonSerializer.Serialize(new
        {
            id = $"chatcmpl-{question.Number}",
            @object = "chat.completion.chunk",
            created = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            model = question.Model,
            choices = new[] { choice },
            usage,
        })).Append("\n\n");

        foreach (char[] piece in content.Chunk(40))
        {
            Event(new { index = 0, delta = new { role = "assistant", content = new string(piece) }, finish_reason = (string?)null }, null);
        }
        Event(new { index = 0, delta = new { }, finish_reason = "stop" }, Usage(question, content));
        return Encoding.UTF8.GetBytes(stream.Append("data: [DONE]\n\n").ToString());
    }

    private static object Usage(ChatQuestion question, string content)
    {
        int asked = ChatTokens.Of(question);
        int answered = ChatTokens.Of(content);
        return new { prompt_tokens = asked, completion_tokens = answered, total_tokens = asked + answered };
    }
}
