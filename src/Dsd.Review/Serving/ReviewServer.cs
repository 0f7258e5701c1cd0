using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Dsd.Dataset.Ledger;
using Dsd.Dataset.Runs;
using Dsd.Imaging;
using Dsd.Review.Page;
using Dsd.Review.Pairs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dsd.Review.Serving;

/// <summary>
/// Serves the review page of a run's folder to this machine's browser, and writes the verdicts that come back into the run's ledger. It listens on 127.0.0.1 alone, and answers nobody who
/// does not know the random token in <see cref="Address"/>. A run may go on in the folder meanwhile.
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
    private (DateTime At, LedgerOutcomes Counts)? _outcomes;

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
        app.MapGet("/api/summary", context => WriteAsync(context, Summary()));
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

    private Task ListAsync(HttpContext context)
    {
        (long number, int count) = _lists.Make(FilterOf(context.Request.Query));
        return WriteAsync(context, new { list = number, count });
    }

    private Task PageAsync(HttpContext context)
    {
        long list = long.Parse((string)context.GetRouteValue("list")!, CultureInfo.InvariantCulture);
        if (_lists.Of(list) is not { } ids)
        {
            return FailAsync(context, StatusCodes.Status410Gone, $"List {list} is forgotten: make it anew.");
        }
        int from = Whole(context.Request.Query, "from", 0, int.MaxValue);
        int count = Whole(context.Request.Query, "count", 1, MostPairsAPage);
        PairView[] pairs = [.. ids.Skip(from).Take(count).Select(id => _pairs.Read(id, AddressOf))];
        return WriteAsync(context, new { from, pairs });
    }

    private async Task VerdictAsync(HttpContext context)
    {
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
        catch (LedgerException e)
        {
            await FailAsync(context, StatusCodes.Status404NotFound, e.Message).ConfigureAwait(false);
            return;
        }
        await WriteAsync(context, Summary()).ConfigureAwait(false);
    }

    private async Task PanelAsync(HttpContext context)
    {
        int panel = int.Parse((string)context.GetRouteValue("panel")!, CultureInfo.InvariantCulture);
        Picture? picture = null;
        try
        {
            picture = _panels.Panel((string)context.GetRouteValue("prompt")!, panel);
        }
        catch (LedgerException)
        {
            // No such prompt: nothing to show either.
        }
        if (picture is null)
        {
            await FailAsync(context, StatusCodes.Status404NotFound, "There is no such panel, or the sheet's file is gone or damaged.").ConfigureAwait(false);
            return;
        }
        bool small = context.Request.Query.ContainsKey("small");
        double scale = small ? Math.Min(1, (double)SmallSide / Math.Max(picture.Width, picture.Height)) : 1;
        Picture sent = picture.Resize(Math.Max(1, (int)(picture.Width * scale)), Math.Max(1, (int)(picture.Height * scale)));
        context.Response.ContentType = "image/png";
        // The address changes with the sheet.
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
            if (_outcomes is not { } known || DateTime.UtcNow - known.At > CountAgain)
            {
                _outcomes = known = (DateTime.UtcNow, _folder.Ledger.Outcomes());
            }
            return ReviewSummary.Of(known.Counts, _folder.Ledger.Agreement());
        }
    }

    private static PairFilter FilterOf(IQueryCollection query)
    {
        return new PairFilter
        {
            Outcome = Named<JudgeOutcome>("outcome"),
            Review = Named<ReviewState>("review"),
            LeastConfidence = Number("least"),
            MostConfidence = Number("most"),
            Flag = Text("flag"),
            Judge = Text("judge"),
            Text = Text("text"),
        };

        string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;

        T? Named<T>(string name)
            where T : struct, Enum =>
            Text(name) is not { } text ? null
            : Enum.TryParse(text, ignoreCase: true, out T value) && !int.TryParse(text, out _) ? value
            : throw new FormatException($"'{name}': expected one of {string.Join(", ", Enum.GetNames<T>())}, found '{text}'.");

        double? Number(string name) =>
            Text(name) is not { } text ? null
            : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) ? value
            : throw new FormatException($"'{name}': expected a number from 0 to 1, found '{text}'.");
    }

    private static int Whole(IQueryCollection query, string name, int least, int most) =>
        int.TryParse(query[name].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new FormatException($"'{name}': expected a number from {least} to {most}, found '{query[name]}'.");

    private static (string Id, bool? Kept) VerdictOf(JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.Object
            && body.EnumerateObject().Count() == 2
            && body.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.String
            && body.TryGetProperty("kept", out JsonElement kept) && kept.ValueKind is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null)
        {
            return (id.GetString()!, kept.ValueKind == JsonValueKind.Null ? null : kept.GetBoolean());
        }
        throw new FormatException("A verdict has the fields 'id', a text, and 'kept', which is true, false, or null to take it back.");
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
