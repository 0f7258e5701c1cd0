using System.Diagnostics.Metrics;
using Dsd.Serving.Page;
using Dsd.Serving.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dsd.Serving;

/// <summary>Serves an image generator over HTTP.</summary>
public static class DsdServing
{
    /// <summary>The meter of <c>dsd.serving.requests</c> and the others: docs/serving.md lists them.</summary>
    public const string MeterName = "Dsd.Serving";

    /// <summary>
    /// Maps OpenAI's <c>/v1/images/generations</c>, <c>/v1/images/edits</c> and <c>/v1/models</c>, further <c>/health</c>, and a page to draw with at the root.
    /// A group (<c>app.MapGroup("/images")</c>) puts all of them below a path.
    /// </summary>
    /// <param name="endpoints">The program's endpoints.</param>
    /// <param name="options">Who may ask, and how much. Null is the defaults: this machine alone, without a token.</param>
    /// <param name="generatorKey">
    /// The key of the <see cref="IImageGenerator"/> among the program's services; null for the one without. It is asked for at once: a model that is loaded
    /// then stops the program's start if it cannot be.
    /// </param>
    /// <returns>All these endpoints, for conventions such as <c>RequireAuthorization</c>.</returns>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="InvalidOperationException">There is no such generator among the services.</exception>
    public static IEndpointConventionBuilder MapDsdImages(
        this IEndpointRouteBuilder endpoints, DsdServingOptions? options = null, object? generatorKey = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        options ??= new DsdServingOptions();
        options.Validate();
        IServiceProvider services = endpoints.ServiceProvider;
        IImageGenerator generator = generatorKey is null
            ? services.GetRequiredService<IImageGenerator>()
            : services.GetRequiredKeyedService<IImageGenerator>(generatorKey);
        ImageQueue queue = new(options.AtOnce, options.MaxWaiting);
        ImageEndpoints images = new(
            generator,
            options,
            queue,
            new ServingMetrics(services.GetService<IMeterFactory>(), queue),
            services.GetService<ILoggerFactory>()?.CreateLogger(MeterName),
            services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None);
        CallerCheck check = new(options);
        RouteGroupBuilder group = endpoints.MapGroup("");
        group.MapPost("/v1/images/generations", Checked(images.GenerateAsync));
        group.MapPost("/v1/images/edits", Checked(images.EditAsync));
        group.MapGet("/v1/models", Checked(images.ModelsAsync));
        group.MapGet("/health", Checked(images.HealthAsync, isOpen: true));
        if (options.ServesPage)
        {
            group.MapPost("/api/draw", Checked(images.DrawForPageAsync));
            group.MapGet("/api/about", Checked(images.AboutAsync));
            group.MapGet("/", Checked(PageFiles.SendIndexAsync, isOpen: true));
            foreach (string name in PageFiles.Types.Keys)
            {
                group.MapGet($"/{name}", Checked(context => PageFiles.SendAsync(context, name), isOpen: true));
            }
        }
        return group;

        RequestDelegate Checked(RequestDelegate next, bool isOpen = false) => context => images.AnswerAsync(context, async () =>
        {
            CallerCheck.SetHeaders(context.Response.Headers);
            check.Require(context, isOpen);
            await next(context).ConfigureAwait(false);
        });
    }
}
