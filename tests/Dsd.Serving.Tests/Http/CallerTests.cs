using System.Net;
using Dsd.Extensions.AI;

namespace Dsd.Serving.Tests.Http;

/// <summary>Who is answered.</summary>
public sealed class CallerTests : IAsyncLifetime
{
    private const string Token = "0123456789abcdef-token";
    private readonly DsdImageGenerator _generator = new(new HeldModel(), null, TinyStudent.Quick);
    private ImageHost _open = null!;
    private ImageHost _closed = null!;

    public async Task InitializeAsync()
    {
        _open = await ImageHost.StartAsync(_generator);
        _closed = await ImageHost.StartAsync(_generator, new DsdServingOptions { Token = Token });
    }

    public async Task DisposeAsync()
    {
        await _open.DisposeAsync();
        await _closed.DisposeAsync();
        _generator.Dispose();
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "127.0.0.1:1")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task WithoutAToken_OtherSitesAreRefused(string header, string value)
    {
        foreach (string path in new[] { "health", "v1/models", "", "api/about" })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation(header, value);
            using HttpResponseMessage answer = await _open.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    [Fact]
    public async Task WithoutAToken_ThePagesOwnRequestsAreAnswered()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "api/about");
        request.Headers.Add("Origin", _open.Address.GetLeftPart(UriPartial.Authority));
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using HttpResponseMessage answer = await _open.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v1/models", HttpStatusCode.Unauthorized)]
    [InlineData("api/about", HttpStatusCode.Unauthorized)]
    [InlineData("health", HttpStatusCode.OK)]
    [InlineData("", HttpStatusCode.OK)]
    [InlineData("page.js", HttpStatusCode.OK)]
    public async Task WithAToken_OnlyThePagesFilesAndHealthAreOpen(string path, HttpStatusCode expected)
    {
        using HttpClient stranger = new() { BaseAddress = _closed.Address };
        using HttpResponseMessage answer = await stranger.GetAsync(path);
        Assert.Equal(expected, answer.StatusCode);

        using HttpResponseMessage known = await _closed.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
    }

    [Fact]
    public async Task BelowAPath_ThePagesAddressEndsInASlash()
    {
        await using ImageHost host = await ImageHost.StartAsync(_generator, prefix: "/images");

        using HttpResponseMessage page = await host.Http.GetAsync("images");

        Assert.Equal("/images/", page.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Contains("page.js", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync("images/page.js")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync("images/v1/models")).StatusCode);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("a token with blanks in it")]
    public void AWeakToken_IsRefused_AndNotSaid(string token) =>
        Assert.DoesNotContain(token, Assert.Throws<ArgumentException>(() => new DsdServingOptions { Token = token }).Message, StringComparison.Ordinal);
}
