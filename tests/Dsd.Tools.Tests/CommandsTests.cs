using System.CommandLine;
using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tools.Commands;

namespace Dsd.Tools.Tests;

/// <summary>What holds for every command: JSON, examples, completion.</summary>
public sealed class CommandsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Leaves => [.. All().Select(c => c.Path)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Command_HasJson_UnlessItSaysWhyNot(string path)
    {
        Option? json = All().Single(c => c.Path == path).Command.Options.FirstOrDefault(o => o.Name == "--json");

        if (WrittenJson.Without.TryGetValue(path, out string? why))
        {
            Assert.NotEmpty(why);
            Assert.False(json is Option<bool>);
        }
        else
        {
            Assert.IsType<Option<bool>>(json);
        }
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Command_HasExamples_ThatTheParserTakes(string path)
    {
        Assert.True(HelpExamples.All.TryGetValue(path, out string[]? examples), $"'{path}' has no examples.");
        Assert.All(examples, example =>
        {
            Assert.StartsWith($"{path} ", $"{example} ", StringComparison.Ordinal);
            Assert.Empty(DsdCli.Program.Check(Words(example)));
        });
    }

    [Fact]
    public void Examples_AreOfCommandsThatThereAre()
    {
        string[] paths = [.. All().Select(c => c.Path)];
        Assert.All(HelpExamples.All.Keys.Where(k => k.Length > 0), path => Assert.Contains(path, paths));
        Assert.All(HelpExamples.All[""], example => Assert.Empty(DsdCli.Program.Check(Words(example))));
    }

    [Fact]
    public async Task Help_ShowsTheExamplesOfItsCommand()
    {
        CliResult result = await Cli.Run("merge", "--help");

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("Examples:", result.Output, StringComparison.Ordinal);
        Assert.Contains($"  dsd {HelpExamples.All["merge"][0]}", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dsd gen", "generate")]
    [InlineData("dsd curate s", "status")]
    [InlineData("dsd train --accum", "--accumulate")]
    [InlineData("dsd train --schedule ", "cosine")]
    [InlineData("dsd export --precision ", "bfloat16")]
    [InlineData("dsd generate --device ", "tensorrt")]
    [InlineData("dsd train --device ", "cuda")]
    [InlineData("dsd generate --model ", "tiny")]
    [InlineData("dsd run loop.yaml --from ", "train")]
    [InlineData("dsd completion ", "zsh")]
    public async Task Suggest_KnowsCommandsOptionsAndWords(string line, string expected)
    {
        CliResult result = await Cli.Run($"[suggest:{line.Length}]", line);

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains(expected, result.Output.Split('\n').Select(l => l.Trim()));
        Assert.DoesNotContain("BFloat16", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suggest_OfTrainsDevices_HasNoneThatItDoesNotTake()
    {
        const string Line = "dsd train --device ";
        Assert.DoesNotContain("webgpu", (await Cli.Run($"[suggest:{Line.Length}]", Line)).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default")]
    [InlineData("zsh", "compdef")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Completion_WritesAScriptThatAsksTheProgram(string shell, string expected)
    {
        CliResult result = await Cli.Run("completion", shell);

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_OfWhatWrites_IsOneObjectWithThePaths()
    {
        string model = _folder.File("model"), pairs = TrainPairs.Write(_folder.File("pairs"), PairFormat.ImageFolder, 2);

        Assert.Equal([model], Written(await Cli.Json("bench", "model", "--out", model)));
        string[] trained = Written(await Cli.Json(
            "train", "--model", TinyModel.Name, "--pairs", pairs, "--out", _folder.File("lora"), "--size", "32x32", "--steps", "1", "--batch", "1"));
        Assert.Equal([_folder.File("lora", "pytorch_lora_weights.safetensors"), _folder.File("lora", "report.html")], trained);
        string[] pictures = Written(await Cli.Json(
            "generate", "--model", TinyModel.Name, "--prompt", "x", "--size", "32x32", "--steps", "1", "--count", "2", "--out", _folder.File("a.png")));
        Assert.Equal([_folder.File("a.0.png"), _folder.File("a.1.png")], pictures);
    }

    [Fact]
    public async Task Json_OfAModelThatWasWritten_IsRecognisedByDoctor()
    {
        string model = _folder.File("model");
        Assert.Equal(ExitCode.Done, (await Cli.Run("bench", "model", "--out", model)).ExitCode);

        CliResult result = await Cli.Run("doctor", "--model", model, "--json");

        Assert.True(result.ExitCode == ExitCode.Done, result.Output);
    }

    [Fact]
    public async Task Json_OfAFailure_WritesNothing() =>
        (await Cli.Run("merge", "--onnx", _folder.Path, "--lora", "x.safetensors", "--out", _folder.File("out"), "--json"))
            .AssertFails(ExitCode.Failed, _folder.Path);

    [Fact]
    public async Task Json_OfACurationRun_IsItsSummary()
    {
        JsonElement summary = await Cli.Json(
            "curate", "run", "--captions", "tiny", "--count", "1", "--steps", "1", "--out", _folder.File("run"));

        Assert.Equal(1, summary.GetProperty("counts").GetProperty("captions").GetInt64());
        Assert.Equal(summary.ToString(), (await Cli.Json("curate", "status", _folder.File("run"))).ToString());
    }

    private static string[] Written(JsonElement result) => [.. result.GetProperty("written").EnumerateArray().Select(p => p.GetString()!)];

    private static IEnumerable<(string Path, Command Command)> All()
    {
        Terminal terminal = Terminal.Nowhere("dsd");
        return Below("", DsdCli.Program.Commands(terminal));

        static IEnumerable<(string, Command)> Below(string path, Command command) => command.Subcommands.Count == 0
            ? [(path, command)]
            : command.Subcommands.SelectMany(c => Below($"{path} {c.Name}".Trim(), c));
    }

    // Words in quotes are one.
    private static string[] Words(string line) => [.. System.CommandLine.Parsing.CommandLineParser.SplitCommandLine(line)];
}
