using System.Net.Http.Headers;
using System.Text;

namespace Dsd.Curation.Chat;

/// <summary>
/// Sends questions under the key, and takes of a server's answers only what may be taken: no other address, no more than so many bytes, no
/// key that comes back.
/// </summary>
internal sealed class EndpointConnection : IDisposable
{
    /// <summary>The longest answer, in bytes: far more than any verdict needs.</summary>
    public const int MaxAnswerBytes = 8 * 1024 * 1024;

    // Of an error no more is read: a reason stands at its beginning.
    private const int MaxErrorBytes = 64 * 1024;

    private static readonly Encoding Strict = new UTF8Encoding(false, throwOnInvalidBytes: true);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(30),
        // A server that moves is found again by its name.
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
    })
    {
        // Timeouts are LimitedChatClient's.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly ChatEndpoint _endpoint;
    private readonly Uri _address;
    private readonly string? _key;
    private readonly string? _header;

    /// <param name="endpoint">What is asked.</param>
    /// <param name="key">The key; null sends none.</param>
    /// <param name="header">The header that it goes under; null for a bearer.</param>
    public EndpointConnection(ChatEndpoint endpoint, string? key, string? header)
    {
        (_endpoint, _key, _header, Key) = (endpoint, key, header, new KeyRedactor(key));
        _address = new Uri($"{endpoint.Address.AbsoluteUri.TrimEnd('/')}/chat/completions");
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Dsd.MLNet", typeof(EndpointConnection).Assembly.GetName().Version?.ToString(3)));
    }

    /// <summary>Takes the key out of texts.</summary>
    public KeyRedactor Key { get; }

    /// <summary>Asks, and gives the body of an answer that the server calls well.</summary>
    /// <exception cref="ServerException">The server refuses, or what it sends is no text.</exception>
    public async Task<string> PostAsync(byte[] question, CancellationToken cancel)
    {
        try
        {
            using HttpResponseMessage response = await SendAsync(question, cancel).ConfigureAwait(false);
            using MemoryStream body = new();
            Stream stream = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await new BoundedStream(stream, MaxAnswerBytes).CopyToAsync(body, cancel).ConfigureAwait(false);
            }
            return Text(body.GetBuffer().AsSpan(0, (int)body.Length));
        }
        catch (Exception e) when (Leaks(e))
        {
            throw Hidden(e);
        }
    }

    /// <summary>Asks for a stream, and gives its beginning. Dispose it.</summary>
    /// <exception cref="ServerException">The server refuses.</exception>
    public async Task<HttpResponseMessage> SendAsync(byte[] question, CancellationToken cancel)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, _address) { Content = new ByteArrayContent(question) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (_key is not null && _header is not null)
        {
            request.Headers.Add(_header, _key);
        }
        else if (_key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        }
        HttpResponseMessage? response = null;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                throw await RefusedAsync(response, cancel).ConfigureAwait(false);
            }
            return response;
        }
        catch (Exception e)
        {
            response?.Dispose();
            if (Leaks(e))
            {
                throw Hidden(e);
            }
            throw;
        }
    }

    /// <summary>What to throw for a body that is no answer, though the server says that all is well.</summary>
    public ServerException Unread(string body, ChatAnswerException why)
    {
        string said = ServerWords.Of(Key.Hide(body));
        // LM Studio says this of addresses that it does not know.
        int code = why.Code ?? (said.Contains("unexpected endpoint", StringComparison.OrdinalIgnoreCase) ? 404 : 200);
        string what = why.IsError
            ? "the server sent an error in place of an answer"
            : ServerWords.IsPage(said) ? "the server sent a web page, which is no chat completion"
            : $"what the server sent is no chat completion ({why.Message})";
        string status = code == 200 ? "" : $", with status {code} inside";
        return new ServerException(
            $"status 200{status}, from {Shown}: {what}. It sent {ServerWords.Quoted(said)}.{Advice(code, said)}", code, said, why)
        { Usage = why.Usage };
    }

    /// <summary>What to throw for an answer that breaks off.</summary>
    public IOException Broken(string body, IOException why) =>
        new($"status 200 from {Shown}: {why.Message} It sent {ServerWords.Quoted(ServerWords.Of(Key.Hide(body)))}.");

    public void Dispose() => _http.Dispose();

    private async Task<ServerException> RefusedAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        int code = (int)response.StatusCode;
        if (code is >= 300 and < 400)
        {
            // Followed, the key and the pictures would go to an address that nobody chose. Its path may hold anything.
            Uri? to = response.Headers.Location is { } location ? new Uri(_address, location) : null;
            string where = to is null ? "another address" : $"'{Key.Hide(to.GetComponents(UriComponents.SchemeAndServer, UriFormat.SafeUnescaped))}'";
            return new ServerException(
                $"status {code} from {Shown}: the server sends on to {where}, which is not followed. If it is meant, give the whole address there as address.",
                code,
                "");
        }
        string said = ServerWords.Of(Key.Hide(await BeginningAsync(response, cancel).ConfigureAwait(false)));
        string page = ServerWords.IsPage(said) ? " with a web page" : "";
        return new ServerException($"status {code} from {Shown}{page}: the server said {ServerWords.Quoted(said)}.{Advice(code, said)}", code, said)
        {
            RetryAfter = Header(response, "retry-after"),
            RetryAfterMilliseconds = Header(response, "retry-after-ms"),
        };
    }

    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        byte[] beginning = new byte[MaxErrorBytes];
        int read = 0;
        try
        {
            Stream stream = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                read = await stream.ReadAtLeastAsync(beginning, beginning.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The status says enough.
        }
        return Encoding.UTF8.GetString(WithoutMark(beginning.AsSpan(0, read)));
    }

    private string Text(ReadOnlySpan<byte> body)
    {
        try
        {
            return Strict.GetString(WithoutMark(body));
        }
        catch (ArgumentException)
        {
            throw Unread(Encoding.UTF8.GetString(body), new ChatAnswerException("its text is not UTF-8"));
        }
    }

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> body) =>
        body.StartsWith(Encoding.UTF8.Preamble) ? body[Encoding.UTF8.Preamble.Length..] : body;

    private string Shown => Key.Hide(_address.ToString());

    private string Advice(int code, string said) => Key.Hide(ServerAdvice.Of(_endpoint, _key is not null, code, said));

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    // The runtime quotes what it cannot read of a server, such as a line of headers.
    private bool Leaks(Exception e) =>
        e is not OperationCanceledException and not ServerException && e.ToString() is var all && !ReferenceEquals(all, Key.Hide(all));

    private Exception Hidden(Exception e) => e is IOException
        ? new IOException(Key.Hide(e.Message))
        : new HttpRequestException(
            (e as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown,
            Key.Hide(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message));
}
