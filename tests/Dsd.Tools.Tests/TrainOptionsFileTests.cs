using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Tools.Tests;

/// <summary>The file of <c>dsd train --options</c>.</summary>
public sealed class TrainOptionsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Out => _folder.File("out");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OptionsFile_IsReadOverThePreset_AndTheCommandLineGoesBeforeIt()
    {
        string options = _folder.File("options.json");
        File.WriteAllText(options, """
            {
              // A small run.
              "Steps": 2, "Width": 32, "Height": 32, "BatchSize": 1, "Schedule": "Linear", "LearningRate": 1,
              "Optimizer": { "DistanceFactor": 0.5, "Kind": "Prodigy" },
              "Adapter": { "Rank": 2, "Targets": ["attn.to_q"] },
            }
            """);

        CliResult result = await Cli.Run(
            "train", "--model", TinyModel.Name, "--pairs", Pairs("pairs", PairFormat.Parquet, 1), "--out", Out, "--options", options, "--rank", "3");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        JsonElement used = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "train.json"))).RootElement.GetProperty("options");
        Assert.Equal((2, 3, 0.5, "Linear", JsonValueKind.Null), (
            used.GetProperty("Steps").GetInt32(), used.GetProperty("Adapter").GetProperty("Rank").GetInt32(),
            used.GetProperty("Optimizer").GetProperty("DistanceFactor").GetDouble(), used.GetProperty("Schedule").GetString(),
            used.GetProperty("InitialAdapterFile").ValueKind));
    }

    private const string JsonOfAll = """
        {
          "Model": "tiny", "Pairs": ["../data/a", "../data/b"], "Out": "../out", "Device": "cpu", "Gpus": 1, "Setting": "recomputed",
          "ReadDetails": true, "ImageColumn": "image", "ConditioningColumn": "conditioning", "CaptionColumn": "caption", "Split": "train",
          "Validate": "../data/a", "ValidateSplit": "train", "ValidateEvery": 2, "Samples": ["a fox: red", "true"], "SampleReference": "../fox.png",
          "SampleEvery": 1, "Names": "comfyui",
          "Steps": 2, "Width": 32, "Height": 32, "LearningRate": 2.5e-4, "Buckets": false, "CacheFolder": "../cache", "CheckpointEvery": "00:30:00",
          "Optimizer": { "Kind": "EightBitAdamW" }, "Timesteps": { "Kind": "LogitNormal", "Mean": 0.5 }, "MaxTextTokens": null,
          "Adapter": { "Rank": 2, "Targets": ["attn.to_q", "ff.net.2"], "RankPattern": [{ "Pattern": "ff.net.2", "Value": 3 }] }
        }
        """;

    private const string YamlOfAll = """
        # All that the command takes.
        Model: tiny
        Pairs: [../data/a, ../data/b]
        Out: ../out
        Device: cpu
        Gpus: 1
        Setting: recomputed
        ReadDetails: true
        ImageColumn: image
        ConditioningColumn: 'conditioning'
        CaptionColumn: caption
        Split: train
        Validate: ../data/a
        ValidateSplit: train
        ValidateEvery: 2
        Samples:
          - "a fox: red"
          - "true"
        SampleReference: ../fox.png
        SampleEvery: 1
        Names: comfyui
        Steps: 2
        Width: 32
        Height: 32
        LearningRate: 2.5e-4
        Buckets: false
        CacheFolder: ../cache
        CheckpointEvery: 00:30:00
        Optimizer:
          Kind: EightBitAdamW
        Timesteps: { Kind: LogitNormal, Mean: .5 }
        MaxTextTokens:
        Adapter:
          Rank: 2
          Targets:
          - attn.to_q
          - ff.net.2
          RankPattern:
          - Pattern: ff.net.2
            Value: 3
        """;

    [Theory]
    [InlineData("run.json", JsonOfAll)]
    [InlineData("run.yaml", YamlOfAll)]
    public async Task OptionsFile_HoldsAllOptions_WithPathsBesideIt(string name, string text)
    {
        Pairs(Path.Combine("data", "a"), PairFormat.Parquet, 1);
        Pairs(Path.Combine("data", "b"), PairFormat.Parquet, 1, seed: 9);
        TrainPairs.Noise(7, 64, 64).Save(_folder.File("fox.png"));
        Directory.CreateDirectory(_folder.File("conf"));
        File.WriteAllText(_folder.File("conf", name), text);

        CliResult result = await Cli.Run("train", "--options", _folder.File("conf", name));

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        JsonElement used = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "train.json"))).RootElement;
        JsonElement options = used.GetProperty("options");
        JsonElement adapter = options.GetProperty("Adapter");
        Assert.Equal(["attn.to_q", "ff.net.2"], adapter.GetProperty("Targets").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal((2, 3), (adapter.GetProperty("Rank").GetInt32(), adapter.GetProperty("RankPattern")[0].GetProperty("Value").GetInt32()));
        Assert.Equal(
            (2L, 2.5e-4, "00:30:00", "EightBitAdamW", 0.5, "recomputed"), (
                options.GetProperty("Steps").GetInt64(), options.GetProperty("LearningRate").GetDouble(), options.GetProperty("CheckpointEvery").GetString(),
                options.GetProperty("Optimizer").GetProperty("Kind").GetString(), options.GetProperty("Timesteps").GetProperty("Mean").GetDouble(),
                used.GetProperty("plan").GetProperty("setting").GetString()));
        Assert.Equal(["a fox: red", "true"], used.GetProperty("samples").EnumerateArray().Select(s => s.GetString()));
        Assert.Equal("ComfyUI", used.GetProperty("names").GetString());
        Assert.Equal(2, Directory.EnumerateFiles(_folder.File("out", "samples")).Count());
        // The reference and a picture for each of the two prompts.
        Picture sheet = Picture.Load(Directory.EnumerateFiles(_folder.File("out", "samples")).First());
        Assert.Equal((104, 32), (sheet.Width, sheet.Height));
        Assert.True(Directory.Exists(_folder.File("cache")));
        Assert.Contains("reading: 2 pairs", result.Error, StringComparison.Ordinal);
        Assert.Contains("held-out", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OptionsFile_GivesWayToEachOptionOfTheCommandLine()
    {
        Pairs(Path.Combine("data", "a"), PairFormat.Parquet, 1);
        string other = Pairs("other", PairFormat.Parquet, 3);
        Directory.CreateDirectory(_folder.File("conf"));
        string file = _folder.File("conf", "run.YML");
        File.WriteAllText(file, "Model: nowhere\nPairs: [../data/a]\nOut: ../unused\nDevice: cuda\nSteps: 9\nWidth: 32\nHeight: 32\nGpus: 4\nSetting: whole\n");

        CliResult result = await Cli.Run(
            "train", "--options", file, "--model", TinyModel.Name, "--pairs", other, "--out", Out, "--device", "cpu", "--steps", "1", "--gpus", "1",
            "--setting", "recomputed");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("training: recomputed", result.Error, StringComparison.Ordinal);
        Assert.Contains("reading: 3 pairs", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("unused")));
        // What only the file says is said by nobody else.
        (await Cli.Run("train", "--options", file, "--model", TinyModel.Name, "--device", "cpu"))
            .AssertFails(ExitCode.WrongUse, "'--gpus' needs '--device cuda'");
        (await Cli.Run("train", "--options", file, "--model", TinyModel.Name, "--device", "cpu", "--plan", "--memory", "2"))
            .AssertFails(ExitCode.WrongUse, "'--memory' chooses the setting");
        (await Cli.Run("train", "--plan")).AssertFails(ExitCode.WrongUse, "'--model' is required");
    }

    [Theory]
    [InlineData("Stepps: 4", "an unknown field 'Stepps'", "line 1")]
    [InlineData("Width: 32\nSteps: 4\nSteps: 5", "a field twice", "Steps")]
    [InlineData("Width: 32\n\nSteps: '4'", "another kind", "'$.Steps' in line 3")]
    [InlineData("Steps: 1e3", "another kind", "'$.Steps' in line 1")]
    [InlineData("Steps: 010", "another kind", "'$.Steps'")]
    [InlineData("# no\nBuckets: yes", "another kind", "'$.Buckets' in line 2")]
    [InlineData("Out: 2024", "another kind", "'$.Out' in line 1")]
    [InlineData("Pairs: a", "another kind", "'$.Pairs' in line 1")]
    [InlineData("Adapter:\n  Rank: 4\n  Rang: 4", "an unknown field 'Rang'", "line 3")]
    [InlineData("Steps: 0", "Option Steps must lie between 1", "options.yaml")]
    [InlineData("Setting: quick", "Option Setting must be one of auto, whole", "'quick'")]
    [InlineData("Device: gpu", "Option Device must be cpu, cuda or cuda:N", "'gpu'")]
    [InlineData("Names: kohya", "Option Names must be diffusers or comfyui", "'kohya'")]
    [InlineData("MemoryGib: 0", "Option MemoryGib must lie between", "options.yaml")]
    [InlineData("Samples: ['']", "Option Samples has an empty entry", "options.yaml")]
    [InlineData("a: &x [1]\nb: *x", "the anchor '&x'", "line 1")]
    [InlineData("Steps: 4\nWidth: *x", "the alias '*x'", "line 2")]
    [InlineData("Steps: !!int 4", "the tag", "line 1")]
    [InlineData("Steps: 4\n---\nSteps: 5", "a second document", "line 2")]
    [InlineData("[a]: 4", "a list or mapping as a name", "line 1")]
    [InlineData("Steps:\n\t4", "no YAML", "options.yaml")]
    [InlineData("Width: [1\nSteps: 4\n", "no YAML", "not closed in line 1")]
    [InlineData("# nothing", "found null", "options.yaml")]
    [InlineData("- Steps", "another kind", "line 1")]
    [InlineData("CheckpointFolder: x", "CheckpointFolder is decided by '--out'", "options.yaml")]
    public async Task YamlOptions_ThatAreWrong_AreNamedWithMemberOrLine(string text, string expected, string where)
    {
        File.WriteAllText(_folder.File("options.yaml"), text);

        (await Cli.Run("train", "--model", TinyModel.Name, "--plan", "--options", _folder.File("options.yaml")))
            .AssertFails(ExitCode.WrongUse, "options.yaml", expected, where);
    }

    [Fact]
    public async Task YamlOptions_OfManyLevelsOrTooManyBytes_AreRefused()
    {
        File.WriteAllText(_folder.File("deep.yaml"), $"Steps: {new string('[', 100_000)}");
        File.WriteAllText(_folder.File("long.yaml"), new string('#', 2 << 20));

        (await Cli.Run("train", "--model", TinyModel.Name, "--plan", "--options", _folder.File("deep.yaml")))
            .AssertFails(ExitCode.WrongUse, "more than 32 levels");
        (await Cli.Run("train", "--model", TinyModel.Name, "--plan", "--options", _folder.File("long.yaml")))
            .AssertFails(ExitCode.WrongUse, "at most 1048576 bytes");
    }

    [Theory]
    [InlineData("""{ "Stepps": 4 }""", "an unknown field 'Stepps'")]
    [InlineData("""{ "Steps": 4, "Steps": 5 }""", "a field twice")]
    [InlineData("""{ "Steps": "many" }""", "at '$.Steps' in line 1")]
    [InlineData("""{ "Steps": 0 }""", "Option Steps must lie between 1")]
    [InlineData("""{ "Adapter": { "Rang": 4 } }""", "an unknown field 'Rang'")]
    [InlineData("""{ "Optimizer": { "Kind": "Lion" } }""", "Optimizer")]
    [InlineData("""{ "CheckpointFolder": "x" }""", "CheckpointFolder is decided by '--out'")]
    [InlineData("""{ "Adapter": {}, "InitialAdapterFile": "x" }""", "Keep one of them")]
    [InlineData("null", "found null")]
    [InlineData("[", "expected options of training in JSON")]
    public async Task OptionsFile_ThatIsWrong_IsNamedWithItsMember(string text, string expected)
    {
        File.WriteAllText(_folder.File("options.json"), text);

        (await Cli.Run("train", "--model", TinyModel.Name, "--plan", "--options", _folder.File("options.json")))
            .AssertFails(ExitCode.WrongUse, "options.json", expected);
    }

    private string Pairs(string name, PairFormat format, int count, int seed = 0) => TrainPairs.Write(_folder.File(name), format, count, seed);
}
