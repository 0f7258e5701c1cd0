using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;

namespace Dsd.Review.Tests.Serving;

/// <summary>Who gets an answer: loopback alone, by the page's own address and from the page itself.</summary>
public sealed class RequestGuardTests : ReviewServerTest
{
    [Fact]
    public async Task Page_IsServedOnLoopbackWithAStrictPolicy()
    {
        Assert.Equal("127.0.0.1", Server.Address.Host);
        HttpResponseMessage page = await Http.GetAsync("");

        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("same-origin", page.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        string html = await page.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<style", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.All(
            await Task.WhenAll(((string[])["review.js", "review.css", "data.js", "icon.svg"]).Select(f => Http.GetAsync(f))),
            r => Assert.Equal(HttpStatusCode.OK, r.StatusCode));
    }

    [Fact]
    public async Task Port_ListensOnNoOtherAddressOfThisMachine()
    {
        IPAddress[] others = [.. (await Dns.GetHostAddressesAsync(Dns.GetHostName())).Where(
            a => !IPAddress.IsLoopback(a) && a.AddressFamily == AddressFamily.InterNetwork), IPAddress.Parse("127.0.0.2")];
        foreach (IPAddress other in others)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(other, Server.Address.Port));
        }
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:PORT")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1.evil.example:PORT")]
    [InlineData("127.0.0.1:1")]
    public async Task Request_ForAnotherHost_IsRefused(string host)
    {
        using HttpRequestMessage request =
            new(HttpMethod.Get, "api/summary") { Headers = { Host = host.Replace("PORT", $"{Server.Address.Port}", StringComparison.Ordinal) } };

        Assert.Equal(HttpStatusCode.Forbidden, (await Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Request_ByTheNameLocalhost_IsServed()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "api/summary") { Headers = { Host = $"localhost:{Server.Address.Port}" } };

        Assert.Equal(HttpStatusCode.OK, (await Http.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api/summary")]
    [InlineData("/00000000000000000000000000000000/")]
    [InlineData("/00000000000000000000000000000000/api/summary")]
    [InlineData("/panels/p000~0/0")]
    public async Task Request_WithoutTheToken_IsRefused(string path) =>
        Assert.Equal(HttpStatusCode.Forbidden, (await Http.GetAsync(new Uri(Server.Address, path))).StatusCode);

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Verdict_FromAnotherSite_IsRefusedAndNotWritten(string header, string value)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "api/verdicts") { Content = JsonContent.Create(new { id = TestRun.IdOf(0), kept = false }) };
        request.Headers.Add(header, value);

        Assert.Equal(HttpStatusCode.Forbidden, (await Http.SendAsync(request)).StatusCode);
        Assert.Null(await Run.ReviewOfAsync(0));
    }

    [Fact]
    public async Task Verdict_WithoutTheToken_IsNotWritten()
    {
        HttpResponseMessage answer = await Http.PostAsJsonAsync(new Uri(Server.Address, "/api/verdicts"), new { id = TestRun.IdOf(0), kept = false });

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Null(await Run.ReviewOfAsync(0));
    }

    [Fact]
    public async Task Texts_NeverReachTheScriptAsMarkup()
    {
        string data = await Http.GetStringAsync("data.js");
        string part = (await PageAsync("", 1, 1)).GetRawText();

        Assert.Contains("flag", data, StringComparison.Ordinal);
        Assert.DoesNotContain('<', data);
        Assert.DoesNotContain('<', part);
        Assert.Equal(TestRun.Hostile, (await PageAsync("", 1, 1))[0].GetProperty("first").GetProperty("caption").GetString());
    }
}
