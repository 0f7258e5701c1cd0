using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Models.Weights;
using Dsd.Testing;
using TorchSharp;

namespace Dsd.Tools.Tests;

public sealed class ExportTests(ExportedModel exported) : IClassFixture<ExportedModel>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Export_WritesModelsThatInspectKnows()
    {
        JsonElement report = await Cli.Json("inspect", exported.Folder);

        string[] models = [.. report.GetProperty("models").EnumerateArray().Select(m => Path.GetDirectoryName(m.GetProperty("path").GetString()!)!)];
        Assert.Equal(["modulation", "text_encoder", "text_encoder_2", "transformer", "vae_decoder", "vae_encoder"], models);
        Assert.True(report.GetProperty("settings").GetProperty("conditional").GetBoolean());
        Assert.Equal(ExportedModel.Side, report.GetProperty("settings").GetProperty("frame_width").GetInt32());
    }

    [Fact]
    public async Task Inspect_TellsWhatAnExportedModelTakes()
    {
        CliResult result = await Cli.Run("inspect", Path.Combine(exported.Folder, "vae_decoder", "model.onnx"));

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Matches(@"in +\S+ +FLOAT +\[\w+, \d+, \w+, \w+\]", result.Output);
        Assert.Matches(@"out +\S+ +FLOAT +\[\w+, 3, \w+, \w+\]", result.Output);
    }

    [Fact]
    public async Task Inspect_CountsTheParametersOfAnExportedModel()
    {
        JsonElement transformer = await Cli.Json("inspect", Path.Combine(exported.Folder, "transformer", "model.onnx"));
        JsonElement modulation = await Cli.Json("inspect", Path.Combine(exported.Folder, "modulation", "model.onnx"));
        JsonElement weights = await Cli.Json("inspect", Fixtures.Own("tiny-dsd", "transformer", "diffusion_pytorch_model.safetensors"));

        // The graphs hold some constants besides.
        Assert.InRange(
            transformer.GetProperty("parameters").GetInt64() + modulation.GetProperty("parameters").GetInt64(), weights.GetProperty("parameters").GetInt64(),
            2 * weights.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public async Task Inspect_RefusesATruncatedModel()
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(exported.Folder, "vae_decoder", "model.onnx"));
        File.WriteAllBytes(_folder.File("model.onnx"), whole[..(whole.Length / 2)]);

        (await Cli.Run("inspect", _folder.File("model.onnx"))).AssertFails(ExitCode.Failed, "model.onnx", "expected an ONNX model");
    }

    [Fact]
    public async Task Export_OfAnAdapterWithATextEncodersPart_AsksForAChoice_AndSaysWhatIsLeftOut()
    {
        string lora = _folder.File("lora.safetensors");
        using (torch.Tensor one = torch.ones(1, 24))
        using (torch.Tensor other = torch.ones(24, 1))
        using (torch.Tensor wide = torch.ones(1, 32))
        using (torch.Tensor high = torch.ones(96, 1))
        {
            SafetensorsWriter.Write(lora, new Dictionary<string, torch.Tensor>
            {
                ["lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight"] = wide,
                ["lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight"] = high,
                ["lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight"] = one,
                ["lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight"] = other,
            });
        }
        string[] export = ["export", "--model", Fixtures.Own("tiny-flux"), "--lora", lora, "--out", _folder.File("onnx")];

        (await Cli.Run(export)).AssertFails(ExitCode.Failed, lora, "lora_te1_text_model", "--lora-text");
        Assert.False(Directory.Exists(_folder.File("onnx")));
        CliResult result = await Cli.Run([.. export, "--lora-text", "leave-out"]);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("2 tensors for text encoders were left out", result.Error, StringComparison.Ordinal);
        (await Cli.Run("export", "--model", Fixtures.Own("tiny-flux"), "--lora-text", "apply", "--out", _folder.File("other")))
            .AssertFails(ExitCode.WrongUse, "'--lora-text' needs an adapter");
    }

    [Fact]
    public async Task Export_RefusesAFolderThatIsNotEmpty()
    {
        File.WriteAllText(_folder.File("letter.txt"), "dear");

        (await Cli.Run(["export", .. ExportedModel.Parts, "--out", _folder.Path])).AssertFails(ExitCode.Failed, _folder.Path, "not empty");
    }

    [Fact]
    public async Task Export_NeverReplacesAFolderOfOtherFiles()
    {
        File.WriteAllText(_folder.File("letter.txt"), "dear");

        (await Cli.Run(["export", .. ExportedModel.Parts, "--out", _folder.Path, "--overwrite"])).AssertFails(ExitCode.Failed, _folder.Path, "other files");
        Assert.Equal("dear", File.ReadAllText(_folder.File("letter.txt")));
    }

    [Fact]
    public async Task Export_WithOverwrite_ReplacesAnEarlierExport()
    {
        string target = _folder.File("onnx");
        Directory.CreateDirectory(target);
        File.Copy(Path.Combine(exported.Folder, "dsd.json"), Path.Combine(target, "dsd.json"));

        CliResult result = await Cli.Run(["export", .. ExportedModel.Parts, "--out", target, "--overwrite"]);

        Assert.Equal((ExitCode.Done, target + Environment.NewLine), (result.ExitCode, result.Output));
        Assert.True(File.Exists(Path.Combine(target, "transformer", "model.onnx")));
        Assert.Equal([target], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Export_WarnsThatAReleasesAdapterIsLeftOut()
    {
        CliResult result = await Cli.Run("export", "--model", Fixtures.Own("tiny-flux"), "--dsd", Fixtures.Own("tiny-dsd"), "--out", _folder.File("onnx"));

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("warning: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("pytorch_lora_weights.safetensors", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_NamesAMissingModelFolder()
    {
        (await Cli.Run("export", "--model", _folder.File("none"), "--out", _folder.File("onnx")))
            .AssertFails(ExitCode.Failed, _folder.File("none"), "no folder");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Export_OfABrokenAdapter_LeavesNothing()
    {
        string lora = _folder.File("lora.safetensors");
        File.WriteAllBytes(lora, File.ReadAllBytes(Fixtures.Own("tiny-dsd", "pytorch_lora_weights.safetensors"))[..^10]);

        CliResult result = await Cli.Run("export", "--model", Fixtures.Own("tiny-flux"), "--lora", lora, "--out", _folder.File("deep", "onnx"));

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains("lora.safetensors", result.Error, StringComparison.Ordinal);
        Assert.Equal([lora], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Export_UnderAFile_IsRefused()
    {
        File.WriteAllText(_folder.File("file"), "");

        CliResult result = await Cli.Run(["export", .. ExportedModel.Parts, "--out", _folder.File("file", "onnx")]);

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains(_folder.File("file"), result.Error, StringComparison.Ordinal);
        Assert.Equal([_folder.File("file")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Export_WhenCancelled_LeavesNothing()
    {
        using CancelledByWriting error = new();

        int exitCode = await DsdCli.Program.RunAsync(["export", .. ExportedModel.Parts, "--out", _folder.File("onnx")], TextWriter.Null, error, error.Token);

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("dsd: Cancelled.", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Export_OfAScaleWithoutAnAdapter_IsWrongUse() =>
        (await Cli.Run("export", "--model", Fixtures.Own("tiny-flux"), "--lora-scale", "2", "--out", _folder.File("onnx")))
            .AssertFails(ExitCode.WrongUse, "--lora-scale", "--lora");

    [Theory]
    [InlineData("--size", "100x64")]
    [InlineData("--size", "64")]
    [InlineData("--lora-scale", "101")]
    public async Task Export_OfValuesOutOfRange_IsWrongUse(string option, string value) =>
        (await Cli.Run("export", "--model", Fixtures.Own("tiny-flux"), "--lora", "x", option, value, "--out", _folder.File("onnx")))
            .AssertFails(ExitCode.WrongUse, option);
}
