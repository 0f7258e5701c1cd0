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

    /// <summary>Sends a file.</summary>
    public static async Task SendAsync(HttpContext context, string name)
    {
        using Stream file = typeof(PageFiles).Assembly.GetManifestResourceStream($"Dsd.Serving.Page.{name}")!;
        context.Response.ContentType = Types[name];
        context.Response.ContentLength = file.Length;
        await file.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
