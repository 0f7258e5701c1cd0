using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Dsd.Serving.Tests.Http;

/// <summary>A program that serves a generator, which stays the test's, on a free port of loopback.</summary>
internal sealed class ImageHost : IAsyncDisposable
{
    private ImageHost(WebApplication app, string? token)
    {
        App = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(5) };
        if (token is not null)
        {
            Http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        }
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public static async Task<ImageHost> StartAsync(IImageGenerator generator, DsdServingOptions? options = null, string prefix = "")
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        // An object that is given stays the giver's.
        builder.Services.AddSingleton(generator);
        WebApplication app = builder.Build();
        app.MapGroup(prefix).MapDsdImages(options);
        await app.StartAsync();
        return new ImageHost(app, options?.Token);
    }

    /// <summary>A form of the edits endpoint.</summary>
    public static MultipartFormDataContent Form(byte[]? reference, params (string Name, string Value)[] fields)
    {
        MultipartFormDataContent form = [];
        foreach ((string name, string value) in fields)
        {
            form.Add(new StringContent(value), name);
        }
        if (reference is not null)
        {
            form.Add(new ByteArrayContent(reference), "image", "reference.png");
        }
        return form;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
    }
}
