using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Dsd.Imaging;
using Dsd.Review.Page;
using Dsd.Review.Pairs;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dsd.Review.Serving;

/// <summary>
/// Serves the review page of a run's folder to this machine's browser, and writes the verdicts that come back into the run's ledger. It
/// listens on 127.0.0.1 alone, and answers nobody who does not know the random token in <see cref="Address"/>. A run may go on in the
/// folder meanwhile.
/// </summary>
public sealed class ReviewServer : IAsyncDisposable
{
    private const int MostPairsAPage = 100;
    private const int MostBodyBytes = 4096;
    private const int SmallSide = 160;

    // Counting all pairs reads the whole table: often enough for a page that somebody looks at.
    private static readonly TimeSpan CountAgain = TimeSpan.FromSeconds(10);

    private readonly RunFolder _folder;
    private readonly ReviewWriter _writer;
    private readonly PanelSource _panels;
    private readonly PairReader _pairs;
    private readonly PairLists _lists;
    private readonly WebApplication _app;
    private readonly Lock _gate = new();
    private (DateTime Until, LedgerOutcomes Counts, LedgerFaults Unreadable)? _known;

    private ReviewServer(RunFolder folder, ReviewWriter writer, PanelSource panels, WebApplication app)
    {
        (_folder, _writer, _panels, _app) = (folder, writer, panels, app);
        (_pairs, _lists) = (new PairReader(folder), new PairLists(folder.Ledger));
    }

    /// <summary>The page's address, with the token that each request must carry.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Verdicts written since the start, taken back ones included.</summary>
    public long Written => _writer.Written;

    /// <summary>Starts to serve a folder.</summary>
    /// <param name="folder">The run's folder. It is not locked: a run may be going on in it, or begin.</param>
    /// <param name="options">How to listen.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    /// <exception cref="IOException">There is no ledger in the folder, it cannot be written, or the port is taken.</exception>
    /// <exception cref="LedgerException">The ledger is none, or no run was begun in it.</exception>
    public static async Task<ReviewServer> StartAsync(string folder, ReviewOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new ReviewOptions();
        RunFolder run = RunFolder.OpenToRead(folder);
        ReviewWriter writer = new(RunFolder.LedgerFile(folder));
        WebApplication? app = null;
        try
        {
            writer.Open();
            RequestGuard guard = new(RequestGuard.NewToken());
            app = Build(options.Port);
            ReviewServer server = new(run, writer, new PanelSource(run), app);
            app.Use(guard.CheckAsync);
            app.Use(AnswerFaultsAsync);
            app.UseRouting();
            server.Map(app);
            await Start(app, options.Port, cancellationToken).ConfigureAwait(false);
            server.Address = new Uri($"{app.Urls.Single().TrimEnd('/')}/{guard.Token}/");
            return server;
        }
        catch
        {
            if (app is not null)
            {
                await app.DisposeAsync().ConfigureAwait(false);
            }
            await writer.DisposeAsync().ConfigureAwait(false);
            await run.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Answers what is under way, and closes the ledger. Every verdict that was acknowledged is in it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _folder.DisposeAsync().ConfigureAwait(false);
    }

    internal static Task FailAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        return WriteAsync(context, new { error = message });
    }

    // Without configuration from files and the environment: neither may open another port.
    private static WebApplication Build(int port)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBodyBytes;
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        return builder.Build();
    }

    private static async Task Start(WebApplication app, int port, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new IOException($"Port {port} of 127.0.0.1 cannot be listened on: {e.Message.TrimEnd('.')}. Take another, or 0 for any free one.", e);
        }
    }

    private static async Task AnswerFaultsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            int status = e switch
            {
                BadHttpRequestException bad => bad.StatusCode,
                ArgumentException or FormatException or JsonException => StatusCodes.Status400BadRequest,
                IOException => StatusCodes.Status503ServiceUnavailable,
                _ => StatusCodes.Status500InternalServerError,
            };
            await FailAsync(context, status, e.Message).ConfigureAwait(false);
        }
    }

    private void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/", context => SendFileAsync(context, PageFiles.Index));
        foreach (string name in PageFiles.Types.Keys)
        {
            app.MapGet($"/{name}", context => SendFileAsync(context, name));
        }
        app.MapGet($"/{PageFiles.Data}", DataAsync);
        app.MapGet("/api/summary", SummaryAsync);
        app.MapGet("/api/lists", ListAsync);
        app.MapGet("/api/lists/{list:long}", PageAsync);
        app.MapPost("/api/verdicts", VerdictAsync);
        app.MapGet("/panels/{prompt}/{panel:int}", PanelAsync);
        app.MapFallback(context => FailAsync(context, StatusCodes.Status404NotFound, "There is nothing at this address."));
    }

    private static Task SendFileAsync(HttpContext context, string name)
    {
        context.Response.ContentType = PageFiles.Types[name];
        return context.Response.Body.WriteAsync(PageFiles.Read(name)).AsTask();
    }

    private Task DataAsync(HttpContext context)
    {
        context.Response.ContentType = "text/javascript; charset=utf-8";
        return context.Response.WriteAsync(PageData.Of(_folder).ToScript());
    }

    private Task SummaryAsync(HttpContext context)
    {
        RequestQuery.Of(context.Request);
        return WriteAsync(context, Summary());
    }

    private Task ListAsync(HttpContext context)
    {
        (long number, int count) = _lists.Make(FilterOf(RequestQuery.Of(context.Request, "outcome", "review", "least", "most", "flag", "judge", "text")));
        return WriteAsync(context, new { list = number, count });
    }

    private Task PageAsync(HttpContext context)
    {
        long list = long.Parse((string)context.GetRouteValue("list")!, CultureInfo.InvariantCulture);
        if (_lists.Of(list) is not { } ids)
        {
            return FailAsync(context, StatusCodes.Status410Gone, $"List {list} is forgotten: make it anew.");
        }
        RequestQuery query = RequestQuery.Of(context.Request, "from", "count");
        int from = query.Whole("from", 0, int.MaxValue);
        int count = query.Whole("count", 1, MostPairsAPage);
        PairView[] pairs = [.. ids.Skip(from).Take(count).Select(id => _pairs.Read(id, AddressOf))];
        return WriteAsync(context, new { from, pairs });
    }

    private async Task VerdictAsync(HttpContext context)
    {
        RequestQuery.Of(context.Request);
        if (!context.Request.HasJsonContentType())
        {
            await FailAsync(context, StatusCodes.Status415UnsupportedMediaType, "A verdict is sent as application/json.").ConfigureAwait(false);
            return;
        }
        using JsonDocument body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        (string id, bool? kept) = VerdictOf(body.RootElement);
        try
        {
            // Not cancelled when the page is closed: what was sent is written.
            await _writer.WriteAsync(id, kept).ConfigureAwait(false);
        }
        catch (LedgerException e) when (e.ConcernsOneRow)
        {
            await FailAsync(context, e.Field is null ? StatusCodes.Status404NotFound : StatusCodes.Status409Conflict, e.Message).ConfigureAwait(false);
            return;
        }
        await WriteAsync(context, Summary()).ConfigureAwait(false);
    }

    private async Task PanelAsync(HttpContext context)
    {
        bool small = RequestQuery.Of(context.Request, "v", "small").Switch("small");
        int panel = int.Parse((string)context.GetRouteValue("panel")!, CultureInfo.InvariantCulture);
        Picture? picture = null;
        try
        {
            picture = _panels.Panel((string)context.GetRouteValue("prompt")!, panel);
        }
        catch (LedgerException e) when (e.ConcernsOneRow)
        {
            // No such prompt, or none that can be read: nothing to show either.
        }
        if (picture is null)
        {
            await FailAsync(context, StatusCodes.Status404NotFound, "There is no such panel, or the grid's file is gone or damaged.").ConfigureAwait(false);
            return;
        }
        double scale = small ? Math.Min(1, (double)SmallSide / Math.Max(picture.Width, picture.Height)) : 1;
        Picture sent = picture.Resize(Math.Max(1, (int)(picture.Width * scale)), Math.Max(1, (int)(picture.Height * scale)));
        context.Response.ContentType = "image/png";
        // The address changes with the grid.
        context.Response.Headers.CacheControl = "private, max-age=3600, immutable";
        await context.Response.Body.WriteAsync(sent.EncodePng(), context.RequestAborted).ConfigureAwait(false);
    }

    private static (string Source, string Small) AddressOf(string promptId, int panel, string version)
    {
        string source = string.Create(CultureInfo.InvariantCulture, $"panels/{Uri.EscapeDataString(promptId)}/{panel}?v={Uri.EscapeDataString(version)}");
        return (source, $"{source}&small");
    }

    private ReviewSummary Summary()
    {
        lock (_gate)
        {
            if (_known is not { } known || DateTime.UtcNow > known.Until)
            {
                Stopwatch took = Stopwatch.StartNew();
                known = (default, _folder.Ledger.Outcomes(), _folder.Ledger.Faults());
                // Going through all rows of a large ledger takes longer than counting: a twentieth of the time at most.
                _known = known = known with { Until = DateTime.UtcNow + TimeSpan.FromTicks(Math.Max(CountAgain.Ticks, 20 * took.Elapsed.Ticks)) };
            }
            return ReviewSummary.Of(known.Counts, _folder.Ledger.Agreement(), known.Unreadable);
        }
    }

    private static PairFilter FilterOf(RequestQuery query) => new()
    {
        Outcome = query.Word<JudgeOutcome>("outcome"),
        Review = query.Word<ReviewState>("review"),
        LeastConfidence = query.Number("least"),
        MostConfidence = query.Number("most"),
        Flag = query.Text("flag"),
        Judge = query.Text("judge"),
        Text = query.Text("text"),
    };

    private static (string Id, bool? Kept) VerdictOf(JsonElement body)
    {
        try
        {
            if (body.ValueKind == JsonValueKind.Object
                && body.EnumerateObject().Count() == 2
                && body.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.String
                && body.TryGetProperty("kept", out JsonElement kept) && kept.ValueKind is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null
                && id.GetString() is { } text && !text.Contains('\0'))
            {
                return (text, kept.ValueKind == JsonValueKind.Null ? null : kept.GetBoolean());
            }
        }
        catch (InvalidOperationException)
        {
            // A half of a surrogate pair, in a name or in the id: no text.
        }
        throw new FormatException(
            "A verdict has the fields 'id', a text without NUL or halves of surrogate pairs, and 'kept', which is true, false, or null to take it back.");
    }

    private static Task WriteAsync<T>(HttpContext context, T value)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, PairView.Json);
    }

    /// <summary>Who started the server ends it: it does not listen for Ctrl-C itself.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
