using System.Security.Cryptography;
using System.Text;
using Dsd.Common.Requests;
using Microsoft.AspNetCore.Http;

namespace Dsd.Review.Serving;

/// <summary>
/// Lets through only what comes from the page itself (<see cref="LocalRequest"/>). And nothing is served to who does not know the token in the page's
/// address.
/// </summary>
internal sealed class RequestGuard
{
    // Only what the page's own address serves may be loaded, and no script or style stands in the page itself: texts of models and ledgers
    // can never become either.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";
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

    private static string? Refusal(HttpRequest request, int port) => LocalRequest.Refusal(
        request.Host.Host, request.Host.Port, port, request.Headers.Origin.ToString(), request.Headers["Sec-Fetch-Site"].ToString());
}
