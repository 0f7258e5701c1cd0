using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests.Inspect;

public sealed class InspectEncoderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnEncodersFolder_IsDescribed()
    {
        string encoder = await ExportAsync("clip");
        JsonElement report = await Cli.Json("inspect", encoder);

        Assert.Equal(("encoder-folder", "encoder.json"), (report.GetProperty("report").GetString(), report.GetProperty("manifest").GetString()));
        Assert.Equal(["image_encoder/model.onnx", "text_encoder/model.onnx"],
            report.GetProperty("models").EnumerateArray().Select(m => m.GetProperty("path").GetString()!.Replace('\\', '/')));
        JsonElement settings = report.GetProperty("settings");
        Assert.Equal(("clip", "clip", 24), (
            settings.GetProperty("kind").GetString(), settings.GetProperty("source").GetString(), settings.GetProperty("width").GetInt32()));
        Assert.Equal((224, "torchvision_bytes"), (
            report.GetProperty("preprocessing").GetProperty("width").GetInt32(), report.GetProperty("preprocessing").GetProperty("resampling").GetString()));
        Assert.Empty(report.GetProperty("warnings").EnumerateArray());

        CliResult text = await Cli.Run("inspect", encoder);
        Assert.Contains("an encoder that pictures are measured with, 2 ONNX models", text.Output);
        Assert.Contains("pixel_values", text.Output);
        Assert.Contains("shortest_side 224", text.Output);
    }

    [Fact]
    public async Task Verify_ReadsEveryFile()
    {
        string encoder = await ExportAsync("dino");
        CliResult whole = await Cli.Run("inspect", encoder, "--verify");
        Assert.True(whole.ExitCode == ExitCode.Done, whole.Error);
        Assert.Contains("lengths and SHA-256 that encoder.json says", whole.Output);

        string network = Path.Combine(encoder, "image_encoder", "model.onnx");
        byte[] bytes = File.ReadAllBytes(network);
        bytes[^9] ^= 1;
        File.WriteAllBytes(network, bytes);
        (await Cli.Run("inspect", encoder, "--verify")).AssertFails(ExitCode.Failed, network, "SHA-256");
    }

    private async Task<string> ExportAsync(string name)
    {
        string source = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval", name);
        Assert.Equal(ExitCode.Done, (await Cli.Run("export", "--encoder", source, "--out", _folder.File(name))).ExitCode);
        return _folder.File(name);
    }
}
