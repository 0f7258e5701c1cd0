using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public sealed class BenchCurationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_OfAShortRun_WritesItsFiguresAndTheCosts()
    {
        (string json, string prices) = (_folder.File("bench.json"), _folder.File("prices.json"));
        File.WriteAllText(prices, """{"some-model": {"input": 2, "output": 10}, "free-model": {"input": 0, "output": 0}}""");

        CliResult result = await Cli.Run(
            "bench", "curation", "--pairs", "40", "--rows", "100", "--latency", "40", "--concurrency", "8", "--prices", prices, "--json", json);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(json));
        JsonElement figures = document.RootElement;
        Assert.Equal(
            ["concurrency", "latency_ms", "ideal_per_s", "achieved_per_s", "ledger_writes_per_s", "peak_rss_bytes", "overhead_ms_per_pair"],
            figures.EnumerateObject().Take(7).Select(p => p.Name));
        Assert.Equal(8, figures.GetProperty("concurrency").GetInt32());
        Assert.Equal(40, figures.GetProperty("latency_ms").GetDouble());
        Assert.Equal(200, figures.GetProperty("ideal_per_s").GetDouble());
        Assert.InRange(figures.GetProperty("achieved_per_s").GetDouble(), 1, 200);
        Assert.InRange(figures.GetProperty("ledger_writes_per_s").GetDouble(), 1, 1e7);
        Assert.InRange(figures.GetProperty("peak_rss_bytes").GetInt64(), 1 << 20, 1L << 40);
        Assert.InRange(figures.GetProperty("overhead_ms_per_pair").GetDouble(), 0.01, 1000);
        // Every second pair is kept, so a thousand of them take two thousand questions.
        (long input, long output) = (figures.GetProperty("input_tokens").GetInt64(), figures.GetProperty("output_tokens").GetInt64());
        Assert.Equal((input * 2 + output * 10) / 1e6 * 1000 / figures.GetProperty("kept").GetInt64(),
            figures.GetProperty("cost_per_1000_kept").GetProperty("some-model").GetDouble(), 6);
        Assert.Equal(0, figures.GetProperty("cost_per_1000_kept").GetProperty("free-model").GetDouble());
        Assert.Contains("some-model", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"m": {"input": -1, "output": 1}}""")]
    [InlineData("""{"m": {"input": 1}}""")]
    [InlineData("""{"m": {"input": 1, "output": 1, "per": 1000}}""")]
    [InlineData("""{"m": null}""")]
    [InlineData("{}")]
    [InlineData("2.5")]
    public async Task Bench_WithAWrongPriceList_NamesTheFileAndTheForm(string content)
    {
        string prices = _folder.File("prices.json");
        File.WriteAllText(prices, content);

        (await Cli.Run("bench", "curation", "--prices", prices)).AssertFails(ExitCode.Failed, "prices.json", "input");
    }

    [Theory]
    [InlineData("--pairs", "0")]
    [InlineData("--latency", "0")]
    [InlineData("--concurrency", "5000")]
    public async Task Bench_WithValuesOutOfRange_IsWrongUse(string option, string value) =>
        Assert.Equal(ExitCode.WrongUse, (await Cli.Run("bench", "curation", option, value)).ExitCode);
}
