using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Dsd.Review.Serving;

/// <summary>
/// Lets through only what comes from the page itself. Other sites in the same browser can send requests to 127.0.0.1 too: by a name of
/// theirs that resolves to it (the Host header tells), or straight (the browser names the origin). And nothing is served to who does not
/// know the token in the page's address.
/// </summary>
internal sealed class RequestGuard
{
    // Only what the page's own address serves may be loaded, and no script or style stands in the page itself: texts of models and ledgers
    // can never become either.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";
    private static readonly string[] Names = ["127.0.0.1", "localhost", "[::1]"];
    private readonly byte[] _token;

    public RequestGuard(string token) => (Token, _token) = (token, Encoding.ASCII.GetBytes(token));

    /// <summary>A token that nobody guesses: 128 random bits in hexadecimal digits.</summary>
    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public string Token { get; }

    /// <summary>Refuses a request, or passes it on without the token in its path.</summary>
    public async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        string? refusal = Refusal(context.Request, context.Connection.LocalPort);
        if (refusal is not null)
        {
            await ReviewServer.FailAsync(context, StatusCodes.Status403Forbidden, refusal).ConfigureAwait(false);
            return;
        }
        string[] parts = (context.Request.Path.Value ?? "").Split('/', 3);
        if (parts.Length < 3 || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(parts[1]), _token))
        {
            await ReviewServer.FailAsync(
                context, StatusCodes.Status403Forbidden, "This address lacks the token. Open the one that 'dsd review' printed.").ConfigureAwait(false);
            return;
        }
        context.Request.Path = $"/{parts[2]}";
        await next(context).ConfigureAwait(false);
    }

    private static string? Refusal(HttpRequest request, int port)
    {
        HostString host = request.Host;
        if (!Names.Contains(host.Host, StringComparer.OrdinalIgnoreCase) || (host.Port ?? 80) != port)
        {
            return "The Host header names another machine than this one.";
        }
        string origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !string.Equals(origin, $"http://{host.Value}", StringComparison.OrdinalIgnoreCase))
        {
            return "The request comes from another site.";
        }
        // Browsers say where a request comes from; 'none' is an address that a person typed or opened.
        return request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none" ? null : "The request comes from another site.";
    }
}
