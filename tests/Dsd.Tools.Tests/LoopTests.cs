using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd run</c> with the embedded model.</summary>
public sealed class LoopTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_OfTheSample_IsInterruptedOnce_AndGoesOnToThePictureAndItsScores()
    {
        AddSample();
        string file = _folder.File("loop.yaml");
        File.WriteAllText(file, File.ReadAllText(file)
            .Replace("steps: 20", "steps: 4\n  batch: 1\n  size: 64x64\n  checkpoint-steps: 1", StringComparison.Ordinal)
            .Replace("report-every: 5", "report-every: 1", StringComparison.Ordinal)
            .Replace("steps: 12", "steps: 2", StringComparison.Ordinal));

        using CancelledAt stopped = new("training: step");
        using StringWriter nothing = new();
        int first = await DsdCli.Program.RunAsync(["run", file, "--json"], nothing, stopped, stopped.Token);
        Assert.Equal(ExitCode.Failed, first);
        Assert.Contains("run: stopped in train", stopped.ToString(), StringComparison.Ordinal);
        Assert.Empty(nothing.ToString());
        Assert.False(Directory.Exists(_folder.File("results", "export")));

        using StringWriter output = new(), error = new();
        int second = await DsdCli.Program.RunAsync(["run", file, "--json"], output, error);

        Assert.True(second == ExitCode.Done, error.ToString());
        Assert.Contains("run: curate is done", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("training: goes on from step", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            ["done before", "done before", "done", "done", "done", "done", "done"],
            States(output.ToString()));
        Picture picture = Picture.Load(_folder.File("results", "generate", "star", "snow.png"));
        Assert.Equal((TinyModel.PanelSize, TinyModel.PanelSize), (picture.Width, picture.Height));
        Assert.True(picture.Pixels.ToArray().Distinct().Count() > 16);
        JsonNode results = JsonNode.Parse(File.ReadAllText(_folder.File("results", "evaluate", "results.json")))!;
        Assert.Contains("\"cp\"", results.ToJsonString(), StringComparison.Ordinal);

        // Nothing is done twice, and what reads a changed file is done anew, its earlier result kept.
        CliResult again = await Cli.Run("run", file, "--json");
        Assert.All(States(again.Output), state => Assert.Equal("done before", state));
        byte[] before = File.ReadAllBytes(_folder.File("results", "generate", "star", "snow.png"));
        File.WriteAllText(file, File.ReadAllText(file).Replace("jumping in the snow", "under water", StringComparison.Ordinal));
        CliResult changed = await Cli.Run("run", file, "--json");
        Assert.True(changed.ExitCode == ExitCode.Done, changed.Error);
        Assert.Equal(["done before", "done before", "done before", "done before", "done", "done before", "done"], States(changed.Output));
        Assert.Equal(before, File.ReadAllBytes(_folder.File("results", "earlier", "generate-1-1.png")));
        Assert.NotEqual(before, File.ReadAllBytes(_folder.File("results", "generate", "star", "snow.png")));
    }

    /// <summary>The pictures of the stage before lie as 'dsd generate' writes them, which is no benchmark's layout.</summary>
    [Theory]
    [InlineData("references", true)]
    [InlineData("dreambench", false)]
    [InlineData("omnicontext", false)]
    [InlineData("osbench", false)]
    [InlineData("vistory", false)]
    public async Task Run_OfAnEvaluation_TakesThePicturesOfTheStageBefore_UnlessABenchmarkHasItsOwn(string layout, bool takes)
    {
        Directory.CreateDirectory(_folder.File("bench"));
        string file = Write($"out: r\nmodel: tiny\ngenerate:\n  prompt: a fox\nevaluate:\n  {layout}: bench\n  metrics: cp\n");

        CliResult result = await Cli.Run("run", file, "--dry-run");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(takes, result.Output.Contains("--generated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_WithSeparateProcesses_DoesAndRecordsAStage()
    {
        string file = Write("out: results\nmodel: tiny\nexport:\n  precision: int8\n");

        CliResult result = await Cli.Run("run", file, "--separate", "--json");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal(["done"], States(result.Output));
        Assert.True(File.Exists(_folder.File("results", "export", "dsd.json")));
        // Cut off between its last file and its record, a stage finds what it wrote itself.
        string record = _folder.File("results", "stages", "export.json");
        JsonObject begun = JsonNode.Parse(File.ReadAllText(record))!.AsObject();
        begun.Remove("finished");
        File.WriteAllText(record, begun.ToJsonString());
        CliResult again = await Cli.Run("run", file, "--json");
        Assert.True(again.ExitCode == ExitCode.Done, again.Error);
        Assert.Equal(["done"], States(again.Output));
    }

    [Fact]
    public async Task Run_OfATrainingWithOtherOptions_AsksItsCommand_AndWithOtherPairsBeginsAnew()
    {
        TrainPairs.Write(_folder.File("pairs"), PairFormat.ImageFolder, 2);
        string Text(string rate, int every) =>
            $"out: r\ntrain:\n  model: tiny\n  pairs: pairs\n  steps: 1\n  batch: 1\n  size: 32x32\n  report-every: {every}\n  learning-rate: {rate}\n";
        Assert.Equal(["done"], States((await Cli.Run("run", Write(Text("0.001", 1)), "--json")).Output));
        byte[] adapter = File.ReadAllBytes(Adapter());

        CliResult free = await Cli.Run("run", Write(Text("0.001", 2)), "--json");
        Assert.True(free.ExitCode == ExitCode.Done, free.Error);
        Assert.Contains("is finished", free.Error, StringComparison.Ordinal);
        CliResult bound = await Cli.Run("run", Write(Text("0.002", 2)));
        Assert.Equal(ExitCode.WrongUse, bound.ExitCode);
        Assert.Contains("LearningRate was 0.001 and is 0.002", bound.Error, StringComparison.Ordinal);
        Assert.Equal(adapter, File.ReadAllBytes(Adapter()));

        Directory.Delete(_folder.File("pairs"), recursive: true);
        TrainPairs.Write(_folder.File("pairs"), PairFormat.ImageFolder, 3);
        CliResult anew = await Cli.Run("run", Write(Text("0.002", 2)), "--json");
        Assert.True(anew.ExitCode == ExitCode.Done, anew.Error);
        Assert.Equal(adapter, File.ReadAllBytes(_folder.File("r", "earlier", "train-1", Path.GetFileName(Adapter()))));
        Assert.NotEqual(adapter, File.ReadAllBytes(Adapter()));

        string Adapter() => _folder.File("r", "train", "pytorch_lora_weights.safetensors");
    }

    [LinuxFact]
    public async Task Run_OfAProcessThatIsToldToEnd_KeepsTheStateOfItsStage()
    {
        TrainPairs.Write(_folder.File("pairs"), PairFormat.ImageFolder, 2);
        string file = Write("out: r\ntrain:\n  model: tiny\n  pairs: pairs\n  steps: 100000\n  batch: 1\n  size: 32x32\n  report-every: 1\n");
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [typeof(DsdCli).Assembly.Location, "run", file])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        StringBuilder error = new();
        bool told = false;
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            error.AppendLine(line);
            if (!told && line.StartsWith("training: step", StringComparison.Ordinal))
            {
                told = true;
                using Process kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            }
        }
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == ExitCode.Failed, error.ToString());
        Assert.Contains("training: stopped, and its state is kept", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("run: stopped in train. The same command goes on", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(await output);
    }

    [Fact]
    public async Task DryRun_WritesCommandsThatTheParserTakes_AndNothingElse()
    {
        AddSample();

        CliResult result = await Cli.Run("run", _folder.File("loop.yaml"), "--dry-run", "--from", "train", "--until", "export");

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("dsd train --steps 20 ", lines[0], StringComparison.Ordinal);
        Assert.Contains("pytorch_lora_weights.safetensors", lines[1], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Empty(DsdCli.Program.Check(line.Split(' ')[1..])));
        Assert.False(Directory.Exists(_folder.File("results")));
    }

    [Fact]
    public void FluxSample_HasOnlyKnownKeys()
    {
        AddSample();
        string[] named =
        [
            "captions.jsonl", "chat.json", "clip-vit-base-patch32/config.json", "dinov2-small/config.json", "FLUX.1-dev/model_index.json", "references/toy.png",
        ];
        foreach (string name in named)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
            File.WriteAllText(_folder.File(name), "");
        }

        Loop.LoopPlan plan = Loop.LoopPlan.Open(_folder.File("flux-dev.yaml"), DsdCli.Program);

        Assert.Equal(
            ["encoders-1", "encoders-2", "curate", "dataset", "train", "export", "generate-1", "generate-2", "evaluate"], plan.Stages.Select(s => s.Name));
        Loop.LoopStage last = plan.Stages[^1];
        Assert.Equal(2, last.Arguments.Count(a => a == "--encoders"));
        Assert.All(plan.Stages.Take(8).Where(s => s.Section.Name is "encoders" or "generate"), stage => Assert.True(last.Reads(stage)));
        Assert.Contains("cuda", plan.Stages[7].Arguments);
        Assert.DoesNotContain("--model", plan.Stages[7].Arguments);
    }

    [Theory]
    [InlineData("line 2: there is no section 'trian'", "out: r\ntrian: {}\n")]
    [InlineData("line 1: 'out' is missing", "train: {}\n")]
    [InlineData("line 2: there is no 'modle' outside of a section", "out: r\nmodle: tiny\ntrain: {}\n")]
    [InlineData("line 4: section 'export', key 'precison': there is no such key. Known are", "out: r\nmodel: tiny\nexport:\n  precison: int8\n")]
    [InlineData("line 4: section 'export', key 'precision'", "out: r\nmodel: tiny\nexport:\n  precision: int9\n")]
    [InlineData("line 4: section 'curate', key 'batch'", "out: r\ncurate:\n  captions: tiny\n  batch: none\n")]
    [InlineData("line 2: section 'curate': Option '--captions' is required", "out: r\ncurate: {}\n")]
    [InlineData("line 3: section 'export', key 'adapter-inputs': it is a switch", "out: r\nexport:\n  adapter-inputs: 3\n")]
    [InlineData("line 3: section 'export', key 'model': it takes one value", "out: r\nexport:\n  model: [tiny, tiny]\n")]
    [InlineData("line 3: section 'export', key 'model': expected a file or folder", "out: r\nexport:\n  model: nowhere\n")]
    [InlineData("line 2: section 'dataset': key 'run' is missing", "out: r\ndataset: {}\n")]
    [InlineData("line 3: key 'model' has no value", "out: r\nexport:\n  model:\n")]
    [InlineData("line 3: key 'model' holds other keys", "out: r\nexport:\n  model: { a: b }\n")]
    [InlineData("line 4: section 'export', key 'model': it stands twice", "out: r\nexport:\n  model: tiny\n  model: tiny\n")]
    [InlineData("line 3: 'export' stands twice", "out: r\nexport: { model: tiny }\nexport: { model: tiny }\n")]
    [InlineData("line 2: the list of 'export' is empty", "out: r\nexport: []\n")]
    [InlineData("there is no section", "out: r\n")]
    [InlineData("write to the same place", "out: r\nmodel: tiny\nexport: [{ out: r/x }, { out: r/x }]\n")]
    [InlineData("the anchor '&a'", "out: &a r\nexport: { model: tiny }\n")]
    [InlineData("the alias '*a'", "out: r\nexport: { model: *a }\n")]
    public async Task Run_OfAWrongFile_NamesThePlace_AndBeginsNothing(string expected, string text)
    {
        string file = Write(text);

        (await Cli.Run("run", file)).AssertFails(ExitCode.WrongUse, "loop.yaml", expected);
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Run_OfAFileWithoutBounds_IsRefused()
    {
        (await Cli.Run("run", Write("out: r\nexport: " + new string('[', 5000)))).AssertFails(ExitCode.WrongUse, "levels");
        (await Cli.Run("run", Write(new string('#', 2 << 20)))).AssertFails(ExitCode.WrongUse, "loop.yaml");
    }

    [Fact]
    public async Task Run_OfAStageThatFails_EndsWithItsCode_AndSaysSo()
    {
        Directory.CreateDirectory(_folder.File("empty"));
        CliResult result = await Cli.Run("run", Write("out: r\nexport:\n  model: empty\n"));

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains("model_index.json", result.Error, StringComparison.Ordinal);
        Assert.Contains("run: export ended with exit code 1", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("--from", "nothing", "must name one of the stages")]
    [InlineData("--until", "nothing", "must name one of the stages")]
    public async Task Run_OfAnUnknownStage_NamesThoseThereAre(string option, string stage, string expected) =>
        (await Cli.Run("run", Write("out: r\nmodel: tiny\nexport: {}\n"), option, stage)).AssertFails(ExitCode.WrongUse, option, expected, "export");

    private string Write(string text)
    {
        string file = _folder.File("loop.yaml");
        File.WriteAllText(file, text);
        return file;
    }

    /// <summary>The sample as it was written: whoever ran it has results beside it.</summary>
    private void AddSample()
    {
        _folder.Add(Path.Combine(Fixtures.Repository, "samples", "loop"));
        if (Directory.Exists(_folder.File("results")))
        {
            Directory.Delete(_folder.File("results"), recursive: true);
        }
    }

    private static string[] States(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return [.. document.RootElement.GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("state").GetString()!)];
    }

    /// <summary>A user who presses Ctrl-C when a line says something.</summary>
    private sealed class CancelledAt(string words) : StringWriter
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Token => _source.Token;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(words, StringComparison.Ordinal) == true)
            {
                _source.Cancel();
            }
        }

        protected override void Dispose(bool disposing)
        {
            _source.Dispose();
            base.Dispose(disposing);
        }
    }
}
