using Microsoft.AspNetCore.Http;

namespace Dsd.Serving.Page;

/// <summary>The page's own files, which lie in this assembly.</summary>
internal static class PageFiles
{
    /// <summary>The page.</summary>
    public const string Index = "index.html";

    /// <summary>Names and media types.</summary>
    public static IReadOnlyDictionary<string, string> Types { get; } = new Dictionary<string, string>
    {
        [Index] = "text/html; charset=utf-8",
        ["page.css"] = "text/css; charset=utf-8",
        ["page.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
    };

    /// <summary>Sends the page, whose addresses begin at its own: below a path it needs the slash at the end.</summary>
    public static Task SendIndexAsync(HttpContext context)
    {
        if (context.Request.Path.Value is { Length: > 0 } path && path[^1] == '/')
        {
            return SendAsync(context, Index);
        }
        context.Response.Redirect($"{context.Request.PathBase}{context.Request.Path}/");
        return Task.CompletedTask;
    }

    /// <summary>Sends a file.</summary>
    public static async Task SendAsync(HttpContext context, string name)
    {
        using Stream file = typeof(PageFiles).Assembly.GetManifestResourceStream($"Dsd.Serving.Page.{name}")!;
        context.Response.ContentType = Types[name];
        context.Response.ContentLength = file.Length;
        await file.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
