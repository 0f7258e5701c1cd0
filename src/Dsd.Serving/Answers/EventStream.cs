using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Dsd.Serving.Answers;

/// <summary>An answer of server-sent events.</summary>
internal sealed class EventStream(HttpContext context)
{
    /// <summary>Whether the answer has begun: errors are events from then on.</summary>
    public bool HasBegun { get; private set; }

    public async Task SendAsync<T>(string name, T data, CancellationToken cancellationToken)
    {
        if (!HasBegun)
        {
            HasBegun = true;
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            // Proxies shall pass events on at once.
            context.Response.Headers["X-Accel-Buffering"] = "no";
        }
        await context.Response.WriteAsync($"event: {name}\ndata: ", cancellationToken).ConfigureAwait(false);
        await JsonSerializer.SerializeAsync(context.Response.Body, data, Answer.Json, cancellationToken).ConfigureAwait(false);
        await context.Response.WriteAsync("\n\n", cancellationToken).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
