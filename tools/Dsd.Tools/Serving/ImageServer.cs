using System.Net.Sockets;
using Dsd.Extensions.AI;
using Dsd.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dsd.Tools.Serving;

/// <summary>Serves a model's pictures: what <see cref="DsdServing"/> maps, alone in a server of its own.</summary>
internal sealed class ImageServer : IAsyncDisposable
{
    private const string Traces = "Dsd.Images";

    private readonly WebApplication _app;

    private ImageServer(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Urls.Single().TrimEnd('/') + "/");

    /// <summary>Starts to serve a model, which it takes over.</summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<ImageServer> StartAsync(DsdImageGenerator generator, ImageServerOptions options, CancellationToken cancellationToken)
    {
        WebApplication? app = null;
        try
        {
            app = Build(generator, options);
            app.MapDsdImages(options.Serving);
            await app.StartAsync(cancellationToken);
            return new ImageServer(app);
        }
        catch (Exception e)
        {
            if (app is not null)
            {
                await app.DisposeAsync();
            }
            generator.Dispose();
            if (e is IOException or SocketException)
            {
                throw new IOException(
                    $"Port {options.Port} of {options.Address} cannot be listened on: {e.Message.TrimEnd('.')}. Take another, or 0 for any free one.", e);
            }
            throw;
        }
    }

    /// <summary>Ends what is under way, sends what was measured, and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    // Without configuration from files and the environment: neither may open another port. OpenTelemetry's own variables are passed on.
    private static WebApplication Build(DsdImageGenerator generator, ImageServerOptions options)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Address, options.Port);
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        ImageGeneratorBuilder images = builder.Services.AddImageGenerator(_ => generator);
        if (options.Telemetry is { } telemetry)
        {
            builder.Configuration.AddInMemoryCollection(telemetry);
            images.UseOpenTelemetry(sourceName: Traces);
            builder.Services.AddOpenTelemetry()
                .ConfigureResource(resource => resource.AddService("dsd").AddEnvironmentVariableDetector())
                .WithMetrics(metrics => metrics.AddAspNetCoreInstrumentation().AddMeter(DsdServing.MeterName, Traces))
                .WithTracing(traces => traces.AddAspNetCoreInstrumentation().AddSource(Traces))
                .UseOtlpExporter();
        }
        return builder.Build();
    }

    /// <summary>Who started the server ends it: it does not listen for Ctrl-C itself.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
