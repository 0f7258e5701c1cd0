using System.Net.Http.Headers;
using System.Text;

namespace Dsd.Curation.Chat;

/// <summary>Puts the key under its header, and takes of a server's answers only what may be taken: no other address, no more than so many bytes, no key that comes back in an error.</summary>
internal sealed class EndpointHandler(HttpMessageHandler inner, string? key, string? keyHeader) : DelegatingHandler(inner)
{
    /// <summary>The longest answer, in bytes: far more than any verdict needs.</summary>
    public const int MaxAnswerBytes = 8 * 1024 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = key is null || keyHeader is not null ? null : new AuthenticationHeaderValue("Bearer", key);
        if (key is not null && keyHeader is not null)
        {
            request.Headers.Remove(keyHeader);
            request.Headers.Add(keyHeader, key);
        }
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            if ((int)response.StatusCode is >= 300 and < 400)
            {
                // Followed, the key and the pictures would go to an address that nobody chose.
                throw new HttpRequestException($"status {(int)response.StatusCode}: the server sends on to '{response.Headers.Location}'. Give that address, if it is meant.", null, response.StatusCode);
            }
            HttpContent whole = response.Content;
            response.Content = new StreamContent(new BoundedStream(await whole.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), MaxAnswerBytes));
            response.Content.Headers.ContentType = whole.Headers.ContentType;
            if (!response.IsSuccessStatusCode && key is not null)
            {
                await HideAsync(response, key, cancellationToken).ConfigureAwait(false);
            }
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static async Task HideAsync(HttpResponseMessage response, string key, CancellationToken cancellationToken)
    {
        string body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (body.Contains(key, StringComparison.Ordinal))
        {
            MediaTypeHeaderValue? type = response.Content.Headers.ContentType;
            response.Content = new StringContent(body.Replace(key, "[key]", StringComparison.Ordinal), Encoding.UTF8, type?.MediaType ?? "text/plain");
        }
    }
}
