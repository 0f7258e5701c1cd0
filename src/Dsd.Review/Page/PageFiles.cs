namespace Dsd.Review.Page;

/// <summary>The page's own files, which lie in this assembly.</summary>
internal static class PageFiles
{
    /// <summary>The page.</summary>
    public const string Index = "index.html";

    /// <summary>The script that holds what the page is given when it opens.</summary>
    public const string Data = "data.js";

    /// <summary>Names and media types.</summary>
    public static IReadOnlyDictionary<string, string> Types { get; } = new Dictionary<string, string>
    {
        [Index] = "text/html; charset=utf-8",
        ["review.css"] = "text/css; charset=utf-8",
        ["review.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
    };

    /// <summary>A file's bytes.</summary>
    public static byte[] Read(string name)
    {
        using Stream stream = typeof(PageFiles).Assembly.GetManifestResourceStream($"Dsd.Review.Page.{name}")!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
