namespace Dsd.Common.Requests;

/// <summary>
/// What tells a page's own requests to a server on this machine from those of other sites in the same browser. These can send requests to 127.0.0.1 too: by a
/// name of theirs that resolves to it (the Host header tells), or straight (the browser names the origin).
/// </summary>
public static class LocalRequest
{
    private static readonly string[] Names = ["127.0.0.1", "localhost", "[::1]"];

    /// <summary>Why a request is refused; null where it is not.</summary>
    /// <param name="host">The name in the Host header, without the port.</param>
    /// <param name="port">The port in the Host header; null where it has none.</param>
    /// <param name="localPort">The port that the request came to.</param>
    /// <param name="origin">The header Origin; empty where there is none.</param>
    /// <param name="fetchSite">The header Sec-Fetch-Site; likewise.</param>
    /// <param name="scheme"><c>http</c> or <c>https</c>.</param>
    public static string? Refusal(string host, int? port, int localPort, string origin, string fetchSite, string scheme = "http")
    {
        if (!Names.Contains(host, StringComparer.OrdinalIgnoreCase) || (port ?? (scheme == "https" ? 443 : 80)) != localPort)
        {
            return "The Host header names another machine than this one.";
        }
        string own = port is null ? $"{scheme}://{host}" : $"{scheme}://{host}:{port}";
        if (origin.Length > 0 && !string.Equals(origin, own, StringComparison.OrdinalIgnoreCase))
        {
            return "The request comes from another site.";
        }
        // Browsers say where a request comes from; 'none' is an address that a person typed or opened.
        return fetchSite is "" or "same-origin" or "none" ? null : "The request comes from another site.";
    }
}
