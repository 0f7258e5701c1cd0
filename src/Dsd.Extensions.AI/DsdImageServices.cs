using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dsd.Extensions.AI;

/// <summary>Registers a <see cref="DsdImageGenerator"/> with a program's services.</summary>
public static class DsdImageServices
{
    /// <summary>
    /// Registers the generator as the one <see cref="IImageGenerator"/>. The model is loaded when it is first asked for, and freed with the services. Its
    /// warnings go to the services' log, unless the model's options name somebody.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="model">Which model, and with what it is drawn.</param>
    /// <param name="options">Defaults and bounds. Null is the defaults.</param>
    /// <returns>What logging, OpenTelemetry and the like are added to: <c>.UseLogging().UseOpenTelemetry()</c>.</returns>
    public static ImageGeneratorBuilder AddDsdImageGenerator(
        this IServiceCollection services, ImageModel model, DsdImageGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(model);
        return services.AddImageGenerator(provider => Open(provider, model, options));
    }

    /// <summary>As <see cref="AddDsdImageGenerator"/>, under a key: for a program with several models.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="model">Which model, and with what it is drawn.</param>
    /// <param name="options">Defaults and bounds. Null is the defaults.</param>
    /// <returns>What logging, OpenTelemetry and the like are added to.</returns>
    public static ImageGeneratorBuilder AddKeyedDsdImageGenerator(
        this IServiceCollection services, object? serviceKey, ImageModel model, DsdImageGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(model);
        return services.AddKeyedImageGenerator(serviceKey, provider => Open(provider, model, options));
    }

    private static DsdImageGenerator Open(IServiceProvider services, ImageModel model, DsdImageGeneratorOptions? options) => DsdImageGenerator.Open(
        services.GetService<ILoggerFactory>()?.CreateLogger<DsdImageGenerator>() is { } log
            ? model.Warning(warning => log.LogWarning("{Warning}", warning))
            : model,
        options);
}
