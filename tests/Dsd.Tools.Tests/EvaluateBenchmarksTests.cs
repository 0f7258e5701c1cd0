using System.Globalization;
using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using Dsd.Tools.Serving;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd evaluate</c> on benchmarks' folders of the embedded world: the system 'right' draws what it should, 'wrong' another subject.</summary>
public sealed class EvaluateBenchmarksTests : IDisposable
{
    private const int Items = 4;
    private static readonly string[] Systems = ["right", "wrong"];

    private readonly TemporaryFolder _folder = new();
    private readonly Subject[] _subjects = [.. WorldSampler.Subjects(2).Take(Items)];
    private readonly WorldRandom _random = new(3);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Evaluate_OfDreamBench_HasTheBenchmarksTable_AlsoWhenItIsRunAgain()
    {
        string[] command = DreamBench();

        CliResult result = await Cli.Run(command);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("cp·pf", result.Output, StringComparison.Ordinal);
        string written = File.ReadAllText(_folder.File("out/results.json"));
        JsonElement[] tables = [.. Results().GetProperty("benchmarks").EnumerateArray()];
        Assert.Equal(["right", "wrong"], tables.Select(t => t.GetProperty("system").GetString()));
        foreach (JsonElement table in tables)
        {
            Assert.Equal(("DreamBench++", TinyModel.Name), (table.GetProperty("benchmark").GetString(), table.GetProperty("judge").GetString()));
            Assert.Equal(
                [
                    "cp all", "cp animal", "cp object", "pf all", "pf prompts 0-3 (photorealistic)", "pf prompts 4-6 (style transfer)",
                    "pf prompts 7-8 (imaginative)", "cp·pf all",
                ],
                table.GetProperty("figures").EnumerateArray().Select(Called));
            Assert.Equal(Value(table, "cp all") * Value(table, "pf all"), Value(table, "cp·pf all"), 12);
            Assert.Equal((Value(table, "cp animal") + Value(table, "cp object")) / 2, Value(table, "cp all"), 12);
            // The same judge says the same each time.
            Assert.Equal(0, Figure(table, "cp all").GetProperty("deviation").GetDouble(), 12);
        }
        Assert.Equal(1, Value(tables[0], "cp all"), 12);
        Assert.True(Value(tables[1], "cp all") < 0.8);
        string html = File.ReadAllText(_folder.File("out/report.html"));
        Assert.Contains("<h2>DreamBench++</h2>", html, StringComparison.Ordinal);
        Assert.Contains("prompts 4-6 (style transfer)", html, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Done, (await Cli.Run(command)).ExitCode);
        Assert.Equal(written, File.ReadAllText(_folder.File("out/results.json")));
    }

    [Fact]
    public async Task Evaluate_OfTwoJudges_SaysHowFarTheyAgree()
    {
        using TinyEvaluator evaluator = TinyEvaluator.Load();
        // The second judge turns everything upside down.
        await using ChatServer server = await ChatServer.StartAsync(new ChatServerOptions
        {
            Answer = async (question, cancel) =>
            {
                IReadOnlyList<DataContent> shown = question.Pictures;
                AIContent[] asked = shown.Count == 2 ? [.. shown] : [new TextContent(question.Texts("user")[^1]), .. shown];
                string answer = (await evaluator.GetResponseAsync([new ChatMessage(ChatRole.User, asked)], cancellationToken: cancel)).Text;
                return $"Score: {4 - int.Parse(answer[^1..], CultureInfo.InvariantCulture)}";
            },
        });
        File.WriteAllText(_folder.File("chat.json"), JsonSerializer.Serialize(new
        {
            models = new { contrary = new { address = server.Address, model = "contrary-1", concurrency = 4 } },
            judge = new { ask = new[] { TinyModel.Name } },
        }));
        string[] command = [.. DreamBench(), "--chat", _folder.File("chat.json"), "--judges", TinyModel.Name, "contrary"];

        CliResult result = await Cli.Run(command);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("tiny and contrary", result.Output, StringComparison.Ordinal);
        JsonElement results = Results();
        Assert.Equal(
            ["cp:tiny", "cp:contrary", "pf:tiny", "pf:contrary"],
            results.GetProperty("metrics").EnumerateArray().Select(m => m.GetProperty("metric").GetString()));
        JsonElement[] agreement = [.. results.GetProperty("agreement").EnumerateArray()];
        Assert.Equal(["dreambench-cp", "dreambench-pf"], agreement.Select(a => a.GetProperty("metric").GetString()));
        foreach (JsonElement pair in agreement)
        {
            // Each of three repeats of each picture of both systems.
            Assert.Equal(2 * 3 * 3 * Items, pair.GetProperty("units").GetInt32());
            Assert.Equal(-1, pair.GetProperty("spearman").GetDouble(), 9);
            Assert.True(pair.GetProperty("interval").GetDouble() < 0);
        }
        Assert.Equal(4, results.GetProperty("benchmarks").GetArrayLength());
        Assert.Contains("Agreement of judges", File.ReadAllText(_folder.File("out/report.html")), StringComparison.Ordinal);

        // What stands there is not asked again, nor by one judge alone.
        int asked = server.Asked;
        Assert.Equal(ExitCode.Done, (await Cli.Run(command)).ExitCode);
        Assert.Equal(ExitCode.Done, (await Cli.Run([.. command[..^1], "contrary"])).ExitCode);
        Assert.Equal(ExitCode.Done, (await Cli.Run([.. command[..^3], "--judges", "contrary"])).ExitCode);
        Assert.Equal(asked, server.Asked);
        (await Cli.Run([.. command[..^1], TinyModel.Name])).AssertFails(ExitCode.WrongUse, "'--judges'", "2 times");
        (await Cli.Run([.. command[..^1], "nobody"])).AssertFails(ExitCode.Failed, "'nobody'");
    }

    [Theory]
    [InlineData("--omnicontext", "OmniContext", "omnicontext-pf", "omnicontext-sc")]
    [InlineData("--osbench", "OSBench", "osbench-pf", "osbench-sc")]
    public async Task Evaluate_OfPicturesInContext_HasTheBenchmarksTableWithIntervals(string option, string benchmark, string pf, string sc)
    {
        InContext(truth: option == "--osbench");
        string[] command =
        [
            "evaluate", option, _folder.File("items.jsonl"), "--generated", .. Systems.Select(s => _folder.File(s)), "--repeats", "2",
            "--out", _folder.File("out"),
        ];

        CliResult result = await Cli.Run(command);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains("√(pf·sc)", result.Output, StringComparison.Ordinal);
        Assert.Contains("no picture of 1 items", result.Error, StringComparison.Ordinal);
        JsonElement results = Results();
        Assert.Equal([pf, sc], results.GetProperty("metrics").EnumerateArray().Select(m => m.GetProperty("metric").GetString()));
        JsonElement[] tables = [.. results.GetProperty("benchmarks").EnumerateArray()];
        Assert.Equal(["right", "wrong"], tables.Select(t => t.GetProperty("system").GetString()));
        foreach (JsonElement table in tables)
        {
            Assert.Equal(benchmark, table.GetProperty("benchmark").GetString());
            Assert.Equal(9, table.GetProperty("figures").GetArrayLength());
            foreach (string figure in new[] { "pf", "sc", "√(pf·sc)" })
            {
                // The mean of the tasks' means, whatever their sizes.
                Assert.Equal((Value(table, $"{figure} scene_character") + Value(table, $"{figure} single_character")) / 2, Value(table, $"{figure} all"), 9);
                Assert.InRange(
                    Value(table, $"{figure} all"), Figure(table, $"{figure} all").GetProperty("low").GetDouble() - 1e-9,
                    Figure(table, $"{figure} all").GetProperty("high").GetDouble() + 1e-9);
            }
            Assert.Equal(1, Figure(table, "√(pf·sc) scene_character").GetProperty("items").GetInt32());
            Assert.Equal(2, Figure(table, "√(pf·sc) single_character").GetProperty("items").GetInt32());
        }
        Assert.Equal(10, Value(tables[0], "√(pf·sc) all"), 9);
        Assert.True(Value(tables[1], "sc all") < 8);
        Assert.True(Value(tables[1], "√(pf·sc) all") < Value(tables[0], "√(pf·sc) all") - 0.5);
        Assert.Contains($"<h2>{benchmark}</h2>", File.ReadAllText(_folder.File("out/report.html")), StringComparison.Ordinal);
        string[] scores = File.ReadAllLines(_folder.File("out/scores.jsonl"));
        Assert.Equal(ExitCode.Done, (await Cli.Run(command)).ExitCode);
        Assert.Equal(scores, File.ReadAllLines(_folder.File("out/scores.jsonl")));
        (await Cli.Run([.. command, "--metrics", "pf"])).AssertFails(ExitCode.WrongUse, "'--metrics'", option);
    }

    [Fact]
    public async Task Evaluate_OfOSBench_NeedsTruePictures()
    {
        InContext(truth: false);
        CliResult result = await Cli.Run(
            "evaluate", "--osbench", _folder.File("items.jsonl"), "--generated", _folder.File("right"), "--out", _folder.File("out"));
        result.AssertFails(ExitCode.Failed, "output_image", "single_character/0");
        (await Cli.Run("evaluate", "--osbench", _folder.File("items.jsonl"), "--out", _folder.File("out"))).AssertFails(ExitCode.WrongUse, "'--generated'");
    }

    // Each subject with a prompt of each kind, half of them animals.
    private string[] DreamBench()
    {
        for (int i = 0; i < Items; i++)
        {
            Picture reference = Draw(_subjects[i], WorldSampler.SampleContext(_random));
            foreach (int prompt in new[] { 0, 4, 8 })
            {
                Context context = WorldSampler.SampleContext(_random);
                foreach (string system in Systems)
                {
                    string item = $"{(i % 2 == 0 ? "animal" : "object")}_{i}/{prompt}_0";
                    reference.Save(_folder.File(system, $"src_image/{item}.png"));
                    Draw(_subjects[system == "right" ? i : (i + 1) % Items], context).Save(_folder.File(system, $"tgt_image/{item}.png"));
                    Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(system, $"text/{item}.txt"))!);
                    File.WriteAllText(_folder.File(system, $"text/{item}.txt"), Captions.Full(_subjects[i], context, 1).Text);
                }
            }
        }
        return ["evaluate", "--dreambench", .. Systems.Select(s => _folder.File(s)), "--metrics", "cp,pf", "--out", _folder.File("out")];
    }

    // Two items of one task, one of another, and one that nobody drew.
    private void InContext(bool truth)
    {
        List<string> lines = [];
        for (int i = 0; i < Items; i++)
        {
            string task = i % 2 == 0 || i == Items - 1 ? "single_character" : "scene_character";
            Context context = WorldSampler.SampleContext(_random);
            Draw(_subjects[i], WorldSampler.SampleContext(_random)).Save(_folder.File($"given/{i}.png"));
            Draw(_subjects[i], WorldSampler.SampleContext(_random)).Save(_folder.File($"given/{i}-more.png"));
            Draw(_subjects[i], context).Save(_folder.File($"given/{i}-true.png"));
            foreach (string system in Systems.Where(_ => i < Items - 1))
            {
                Draw(_subjects[system == "right" ? i : (i + 1) % Items], context).Save(_folder.File(system, $"fullset/{task}/{i}.png"));
            }
            Dictionary<string, object> item = new()
            {
                ["key"] = i.ToString(CultureInfo.InvariantCulture),
                ["task_type"] = task,
                ["instruction"] = Captions.Full(_subjects[i], context, 1).Text,
                ["instruction_language"] = "en",
                ["input_images"] = new[] { $"given/{i}.png", $"given/{i}-more.png" },
            };
            if (truth)
            {
                item["output_image"] = $"given/{i}-true.png";
            }
            lines.Add(JsonSerializer.Serialize(item));
        }
        File.WriteAllLines(_folder.File("items.jsonl"), lines);
    }

    private JsonElement Results()
    {
        using JsonDocument results = JsonDocument.Parse(File.ReadAllText(_folder.File("out/results.json")));
        return results.RootElement.Clone();
    }

    private static Picture Draw(Subject subject, Context context) => Renderer.Draw(subject, context, TinyModel.PanelSize);

    private static string Called(JsonElement figure) => $"{figure.GetProperty("figure").GetString()} {figure.GetProperty("of").GetString()}";

    private static JsonElement Figure(JsonElement table, string called) => table.GetProperty("figures").EnumerateArray().Single(f => Called(f) == called);

    private static double Value(JsonElement table, string called) => Figure(table, called).GetProperty("value").GetDouble();
}
