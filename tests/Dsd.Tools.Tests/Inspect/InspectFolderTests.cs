using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Testing;

namespace Dsd.Tools.Tests.Inspect;

public sealed class InspectFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Inspect_ListsThePartsOfAPipeline()
    {
        JsonElement report = await Cli.Json("inspect", Fixtures.Own("tiny-flux"));

        Assert.Equal(
            ["scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "transformer", "vae"],
            report.GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString()!));
    }

    [Fact]
    public async Task Inspect_FindsNothingWrongWithAWholePipeline()
    {
        CliResult result = await Cli.Run("inspect", Fixtures.Own("tiny-flux"));

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.DoesNotContain("warning", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ReadsARelease()
    {
        JsonElement report = await Cli.Json("inspect", Fixtures.Own("tiny-dsd"));

        Assert.Equal("FluxTransformer2DConditionalModel", report.GetProperty("components")[0].GetProperty("class_name").GetString());
        Assert.Equal("lora", report.GetProperty("files")[0].GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Inspect_WarnsOfMissingParts()
    {
        CopyPipeline();
        Directory.Delete(_folder.File("vae"), recursive: true);
        File.Delete(_folder.File("tokenizer_2", "spiece.model"));
        File.Delete(_folder.File("tokenizer_2", "tokenizer.json"));

        CliResult result = await Cli.Run("inspect", _folder.Path);

        Assert.Contains("warning: vae: the subfolder is missing", result.Output, StringComparison.Ordinal);
        Assert.Contains("warning: tokenizer_2: the file 'spiece.model' is missing", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_WarnsOfAConfigThatContradictsTheWeights()
    {
        CopyPipeline();
        string config = _folder.File("transformer", "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"num_layers\": ", "\"num_layers\": 7", StringComparison.Ordinal));

        CliResult result = await Cli.Run("inspect", _folder.Path);

        Assert.Contains("warning: transformer: the config says num_layers 7", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_KeepsGoingWherePartsAreBroken()
    {
        CopyPipeline();
        File.WriteAllText(_folder.File("vae", "config.json"), "{");
        File.WriteAllText(_folder.File("text_encoder", "model.safetensors"), "no weights");

        JsonElement report = await Cli.Json("inspect", _folder.Path);

        string[] broken = [.. report.GetProperty("components").EnumerateArray().Where(c => c.GetProperty("warnings").GetArrayLength() > 0)
            .Select(c => c.GetProperty("name").GetString()!)];
        Assert.Equal(["text_encoder", "vae"], broken);
    }

    [Fact]
    public async Task Inspect_KeepsGoingWhereAnAdapterIsBroken()
    {
        CopyPipeline();
        File.WriteAllText(_folder.File("lora.safetensors"), "no weights");

        CliResult result = await Cli.Run("inspect", _folder.Path);

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("lora.safetensors", result.Output, StringComparison.Ordinal);
        Assert.Contains("text_encoder_2", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1e999")]
    [InlineData("\"\\ud800\"")]
    [InlineData("[[[]]]")]
    public async Task Inspect_SurvivesStrangeValues(string value)
    {
        CopyPipeline();
        File.WriteAllText(_folder.File("vae", "config.json"), $"{{\"sample_size\": {value}}}");

        JsonElement report = await Cli.Json("inspect", _folder.Path);

        Assert.Equal(7, report.GetProperty("components").GetArrayLength());
    }

    [Fact]
    public async Task Inspect_RefusesAFolderWithoutAModel() =>
        (await Cli.Run("inspect", _folder.Path)).AssertFails(ExitCode.Failed, _folder.Path, "model_index.json", "none of these");

    [Fact]
    public async Task Inspect_RefusesToListAFoldersTensors() =>
        (await Cli.Run("inspect", Fixtures.Own("tiny-flux"), "--all")).AssertFails(ExitCode.WrongUse, "--all", "folder");

    private void CopyPipeline()
    {
        string source = Fixtures.Own("tiny-flux");
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string target = _folder.File(Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
