using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Tools.Tests;

public sealed class BenchFluxTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_OfTheEmbeddedModel_WritesEveryVariantAndTheyAgree()
    {
        string file = _folder.File("bench.json");

        CliResult result = await Cli.Run("bench", "flux", "--seconds", "0.01", "--json", file);

        Assert.Equal(ExitCode.Done, result.ExitCode);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement[] variants = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(
            ["plain", "all", "no_kernels", "no_fused_projections", "no_tuned_products", "no_shared_steps", "onnx"],
            variants.Select(v => v.GetProperty("variant").GetString()));
        // 64 of the text, and those of two frames, each 16 pixels wide and high.
        const int Tokens = 64 + 2 * (TinyModel.PanelSize / 16) * (TinyModel.PanelSize / 16);
        Assert.All(variants, v =>
        {
            Assert.Equal("cpu", v.GetProperty("device").GetString());
            Assert.Equal(Tokens, v.GetProperty("tokens").GetInt32());
            Assert.True(v.GetProperty("ms_per_step").GetDouble() > 0);
            Assert.True(v.GetProperty("tflops").GetDouble() > 0);
            Assert.True(v.GetProperty("share_of_matmul").GetDouble() > 0);
            Assert.True(v.GetProperty("peak_memory_bytes").GetInt64() > 1 << 20);
            Assert.InRange(v.GetProperty("max_abs_error").GetDouble(), 0, 1e-3);
            Assert.Contains(v.GetProperty("variant").GetString()!, result.Output, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("--size", "huge")]
    [InlineData("--seconds", "0")]
    [InlineData("--device", "tpu")]
    public async Task Bench_WithValuesOutOfRange_IsWrongUse(string option, string value) =>
        Assert.Equal(ExitCode.WrongUse, (await Cli.Run("bench", "flux", option, value)).ExitCode);
}
