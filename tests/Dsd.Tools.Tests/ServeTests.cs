using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Dsd.CommandLine;
using Dsd.Imaging;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dsd.Tools.Tests;

public sealed class ServeTests
{
    private const string TokenVariable = "DSD_TEST_SERVE_TOKEN";
    private const string Token = "0123456789abcdef-token";

    [Fact]
    public async Task Serve_DrawsFromTheEmbeddedModel_TellsACollector_AndEndsCleanly()
    {
        await using Collector collector = await Collector.StartAsync();
        Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        Environment.SetEnvironmentVariable(TokenVariable, Token);
        using CancellationTokenSource stop = new();
        using StringWriter output = new();
        using StringWriter error = new();
        Task<int> serving = DsdCli.Program.RunAsync(
            [
                "serve", "--model", "tiny", "--port", "0", "--steps", "1", "--token-variable", TokenVariable, "--otlp", collector.Address,
            ],
            TextWriter.Synchronized(output), TextWriter.Synchronized(error), stop.Token);
        try
        {
            for (int i = 0; i < 2400 && !error.ToString().Contains("Ctrl-C", StringComparison.Ordinal) && !serving.IsCompleted; i++)
            {
                await Task.Delay(50);
            }
            Assert.False(serving.IsCompleted, error.ToString());
            using HttpClient http = new() { BaseAddress = new Uri(output.ToString().Trim()) };
            Assert.Contains("<title>Draw</title>", await http.GetStringAsync(""), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.PostAsync("v1/images/edits", Form())).StatusCode);
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            using HttpResponseMessage drawn = await http.PostAsync("v1/images/edits", Form());
            Assert.Equal(HttpStatusCode.OK, drawn.StatusCode);
            Assert.Contains("\"size\":\"128x128\"", await drawn.Content.ReadAsStringAsync(), StringComparison.Ordinal);

            await stop.CancelAsync();

            Assert.Equal(ExitCode.Done, await serving);
            Assert.DoesNotContain(Token, output.ToString() + error, StringComparison.Ordinal);
            // What was not sent yet is sent at the end.
            Assert.Contains(collector.Bodies, b => b.Path == "/v1/metrics" && b.Text.Contains("dsd.serving.pictures", StringComparison.Ordinal));
            Assert.Contains(collector.Bodies, b => b.Path == "/v1/metrics" && b.Text.Contains("http.server.request.duration", StringComparison.Ordinal));
            Assert.Contains(collector.Bodies, b => b.Path == "/v1/traces" && b.Text.Contains("gen_ai.request.model", StringComparison.Ordinal));
        }
        finally
        {
            await stop.CancelAsync();
            await serving;
            Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL", null);
            Environment.SetEnvironmentVariable(TokenVariable, null);
        }
    }

    [Theory]
    [InlineData("", "--onnx", "--model")]
    [InlineData("--model tiny --address 0.0.0.0", "token", "--token-variable")]
    [InlineData("--model tiny --address here", "--address", "IP")]
    [InlineData("--model tiny --port 70000", "--port", "65535")]
    [InlineData("--model tiny --token-variable DSD_TEST_NO_SUCH", "DSD_TEST_NO_SUCH", "no such environment variable")]
    [InlineData("--model tiny --otlp file:///tmp", "--otlp", "http")]
    [InlineData("--model tiny --queue 5000", "--queue", "1000")]
    [InlineData("--model tiny --from sound", "--from", "reference")]
    [InlineData("--model tiny --device webgpu", "--onnx", "cpu")]
    [InlineData("--model tiny --size 100x100", "--size", "16")]
    [InlineData("--float8 --onnx somewhere", "--float8", "--model")]
    public async Task Serve_WithWrongOptions_IsRefused(string options, params string[] named) =>
        (await Cli.Run(["serve", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).AssertFails(ExitCode.WrongUse, named);

    [Fact]
    public async Task Serve_OnAPortThatIsTaken_SaysSo()
    {
        await using Collector other = await Collector.StartAsync();
        string port = new Uri(other.Address).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

        (await Cli.Run("serve", "--model", "tiny", "--port", port)).AssertFails(ExitCode.Failed, "cannot be listened on");
    }

    [Fact]
    public async Task Serve_OfAModelThatIsNone_SaysSo() =>
        (await Cli.Run("serve", "--model", "nowhere", "--port", "0")).AssertFails(ExitCode.Failed, "'nowhere'");

    private static MultipartFormDataContent Form() => new()
    {
        { new StringContent("on a beach"), "prompt" },
        { new ByteArrayContent(new Picture(64, 64, new byte[3 * 64 * 64]).EncodePng()), "image", "black.png" },
    };

    /// <summary>What OpenTelemetry sends to.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private Collector(WebApplication app) => _app = app;

        public string Address => _app.Urls.Single();

        public ConcurrentBag<(string Path, string Text)> Bodies { get; } = [];

        public static async Task<Collector> StartAsync()
        {
            WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            builder.Services.AddRoutingCore();
            Collector collector = new(builder.Build());
            collector._app.MapPost("/{**path}", async context =>
            {
                using MemoryStream body = new();
                await context.Request.Body.CopyToAsync(body);
                collector.Bodies.Add((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
            });
            await collector._app.StartAsync();
            return collector;
        }

        public async ValueTask DisposeAsync() => await _app.DisposeAsync();
    }
}
