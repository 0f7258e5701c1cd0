using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Lab.Tests.Commands;

public sealed class MeasureCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Measure_WithoutAnAdapter_FindsSubjectAndPromptInWhatThePackagedStudentDraws()
    {
        string into = _folder.File("measured");

        CliResult result = await Cli.Run("measure", "--quick", "--subjects", "1", "--out", into);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(Path.Combine(into, "measure.md") + Environment.NewLine, result.Output);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(into, "measure.json")));
        JsonElement student = Assert.Single(json.RootElement.GetProperty("adapters").EnumerateArray());
        Assert.Equal(TinyModel.AdapterFile, student.GetProperty("adapter").GetString());
        // Values drawn at random would come to a quarter or less.
        Assert.InRange(student.GetProperty("cp").GetProperty("mean").GetDouble(), 0.6, 1);
        Assert.InRange(student.GetProperty("pf").GetProperty("mean").GetDouble(), 0.8, 1);
    }

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--onnx-device", "tpu")]
    [InlineData("--onnx-device", "cuda,cpu")]
    [InlineData("--subjects", "0")]
    [InlineData("--subjects", "10001")]
    public async Task Measure_WithValuesOutOfRange_IsWrongUse(string option, string value)
    {
        CliResult result = await Cli.Run("measure", "--out", _folder.File("measured"), option, value);

        Assert.Equal(ExitCode.WrongUse, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Measure_OfTwoSizesAtOnce_IsWrongUse() =>
        (await Cli.Run("measure", "--out", _folder.File("m"), "--quick", "--config", "file.json")).AssertFails(ExitCode.WrongUse, "--quick", "--config");

    [Fact]
    public async Task Measure_WithADeviceForNoExport_IsWrongUse() =>
        (await Cli.Run("measure", "--out", _folder.File("m"), "--onnx-device", "cpu")).AssertFails(ExitCode.WrongUse, "--onnx-device", "no '--onnx'");

    [Fact]
    public async Task Measure_OfAModelWithoutAClassifier_SaysHowToTrainOneAndLeavesNothing()
    {
        Directory.CreateDirectory(_folder.File("model"));

        (await Cli.Run("measure", "--model", _folder.File("model"), "--out", _folder.File("m"))).AssertFails(ExitCode.Failed, "--stage classifier");
        Assert.False(Directory.Exists(_folder.File("m")));
    }

    [Fact]
    public async Task Measure_OfAnAdapterThatIsNotThere_NamesItAndLeavesNothing()
    {
        string missing = _folder.File("missing.safetensors");

        (await Cli.Run("measure", "--lora", missing, "--out", _folder.File("m"))).AssertFails(ExitCode.Failed, missing);
        Assert.False(Directory.Exists(_folder.File("m")));
    }
}
