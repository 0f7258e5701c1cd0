using System.Net;
using System.Security.Cryptography;
using System.Text;
using Dsd.Common.Requests;
using Microsoft.AspNetCore.Http;

namespace Dsd.Serving.Requests;

/// <summary>Lets through who knows the token, or who is on this machine and no other site's page.</summary>
internal sealed class CallerCheck(DsdServingOptions options)
{
    // Only what the page's own address serves may be loaded, and no script or style stands in the page itself. Pictures come as data from the script.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    private readonly byte[]? _token = options.Token is { } token ? Encoding.ASCII.GetBytes(token) : null;

    /// <summary>Sets the headers that every answer has.</summary>
    public static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    /// <summary>Refuses a caller.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isOpen">Whether what is asked for is given without a token: the page's files, which hold no secret, and whether the server is well.</param>
    /// <exception cref="ApiException">The caller is refused.</exception>
    public void Require(HttpContext context, bool isOpen)
    {
        if (options.AppChecksCallers)
        {
            return;
        }
        if (_token is null)
        {
            if (Refusal(context) is { } refusal)
            {
                throw new ApiException(StatusCodes.Status403Forbidden, refusal, code: "forbidden");
            }
        }
        else if (!isOpen && !HasToken(context.Request, _token))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw new ApiException(
                StatusCodes.Status401Unauthorized, "The token is missing or wrong: send it as 'Authorization: Bearer TOKEN'.", code: "invalid_api_key");
        }
    }

    private static string? Refusal(HttpContext context)
    {
        HttpRequest request = context.Request;
        return context.Connection.RemoteIpAddress is { } caller && !IPAddress.IsLoopback(caller.IsIPv4MappedToIPv6 ? caller.MapToIPv4() : caller)
            ? "Without a token only this machine is answered."
            : LocalRequest.Refusal(
                request.Host.Host, request.Host.Port, context.Connection.LocalPort, request.Headers.Origin.ToString(),
                request.Headers["Sec-Fetch-Site"].ToString(), request.Scheme);
    }

    private static bool HasToken(HttpRequest request, byte[] token)
    {
        const string Scheme = "Bearer ";
        string header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim()), token);
    }
}
