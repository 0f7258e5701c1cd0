using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Tools.Tests;

/// <summary><c>dsd evaluate</c> on the embedded world's pictures, with the small encoders that have random weights.</summary>
public sealed class EvaluateTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string[] Command =>
    [
        "evaluate", "--references", _folder.File("references"), "--generated", _folder.File("same"), _folder.File("shuffled"),
        "--encoders", _folder.File("clip"), _folder.File("dino"), "--out", _folder.File("out"),
    ];

    public async Task InitializeAsync()
    {
        foreach (string encoder in new[] { "clip", "dino" })
        {
            string source = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval", encoder);
            Assert.Equal(ExitCode.Done, (await Cli.Run("export", "--encoder", source, "--out", _folder.File(encoder))).ExitCode);
        }
        WorldRandom random = new(1);
        Picture[] pictures = [.. WorldSampler.Subjects(2).Take(6).Select(s => Renderer.Draw(s, WorldSampler.SampleContext(random), 64))];
        for (int i = 0; i < pictures.Length; i++)
        {
            pictures[i].Save(_folder.File($"references/{i}.png"));
            pictures[i].Save(_folder.File($"same/{i}/0.png"));
            pictures[(i + 1) % pictures.Length].Save(_folder.File($"shuffled/{i}/0.png"));
        }
        File.WriteAllText(_folder.File("prompts.json"), """{"0":"a creature","1":"a creature in the snow"}""");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Evaluate_WritesResultsTableAndReport()
    {
        CliResult result = await Cli.Run([.. Command, "--metrics", "clip-i,dino,copy-paste"]);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Contains(_folder.File("out/report.html"), result.Output);
        Assert.Contains("shuffled less same", result.Output);
        Assert.Contains("evaluating: 12 of 12 pictures", result.Error);
        Assert.All(["results.json", "scores.parquet", "scores.jsonl", "report.html"], name => Assert.True(File.Exists(_folder.File($"out/{name}")), name));
        using JsonDocument results = JsonDocument.Parse(File.ReadAllText(_folder.File("out/results.json")));
        JsonElement[] systems = [.. results.RootElement.GetProperty("metrics")[0].GetProperty("systems").EnumerateArray()];
        Assert.Equal(["same", "shuffled"], systems.Select(s => s.GetProperty("system").GetString()));
        Assert.Equal(1, systems[0].GetProperty("all").GetProperty("mean").GetDouble(), 6);
        Assert.True(systems[1].GetProperty("all").GetProperty("high").GetDouble() < systems[0].GetProperty("all").GetProperty("low").GetDouble() - 1e-6);
    }

    [Fact]
    public async Task Evaluate_AsJson_IsTheResults()
    {
        JsonElement results = await Cli.Json([.. Command, "--metrics", "clip-t", "--prompts", _folder.File("prompts.json")]);
        JsonElement all = results.GetProperty("metrics")[0].GetProperty("systems")[0].GetProperty("all");
        Assert.Equal((2, 2, 4), (all.GetProperty("subjects").GetInt32(), all.GetProperty("pictures").GetInt32(), all.GetProperty("without").GetInt32()));
    }

    [Fact]
    public async Task Evaluate_AsksTheEmbeddedEvaluator_InDreamBenchsLayout()
    {
        WorldRandom random = new(3);
        Subject[] subjects = [.. WorldSampler.Subjects(2).Take(4)];
        for (int i = 0; i < subjects.Length; i++)
        {
            Context context = WorldSampler.SampleContext(random);
            Picture shown = Renderer.Draw(subjects[i], context, TinyModel.PanelSize);
            Picture reference = Renderer.Draw(subjects[i], WorldSampler.SampleContext(random), TinyModel.PanelSize);
            foreach (string system in new[] { "right", "wrong" })
            {
                string item = $"{(i < 2 ? "animal" : "object")}_{i}/0_0";
                reference.Save(_folder.File(system, $"src_image/{item}.png"));
                // Wrong is the next one's reference: neither this subject, nor what its prompt asks for.
                Picture drawn = system == "right" ? shown : Renderer.Draw(subjects[(i + 1) % 4], context, TinyModel.PanelSize);
                drawn.Save(_folder.File(system, $"tgt_image/{item}.png"));
                Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(system, $"text/{item}.txt"))!);
                File.WriteAllText(_folder.File(system, $"text/{item}.txt"), Captions.Full(subjects[i], context, 1).Text);
            }
        }

        string[] command = ["evaluate", "--dreambench", _folder.File("right"), _folder.File("wrong"), "--metrics", "cp,pf", "--out", _folder.File("out")];
        JsonElement results = await Cli.Json(command);

        foreach (JsonElement metric in results.GetProperty("metrics").EnumerateArray())
        {
            JsonElement[] systems = [.. metric.GetProperty("systems").EnumerateArray()];
            Assert.InRange(systems[0].GetProperty("all").GetProperty("mean").GetDouble(), 0.9, 1);
            Assert.True(systems[1].GetProperty("all").GetProperty("mean").GetDouble() < systems[0].GetProperty("all").GetProperty("mean").GetDouble() - 0.2);
        }
        string[] lines = File.ReadAllLines(_folder.File("out/scores.jsonl"));
        Assert.Equal(16, lines.Length);
        Assert.True((await Cli.Run(command)).ExitCode == ExitCode.Done);
        Assert.Equal(lines, File.ReadAllLines(_folder.File("out/scores.jsonl")));
        (await Cli.Run([.. command, "--references", _folder.File("references")])).AssertFails(ExitCode.WrongUse, "'--references'", "'--dreambench'");
    }

    [Fact]
    public async Task Evaluate_MeasuresStories_AndWritesAsTheBenchmarkDoes()
    {
        string csd = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval", "csd", "csd_vit-large.pth");
        Assert.Equal(ExitCode.Done, (await Cli.Run("export", "--encoder", csd, "--heads", "4", "--out", _folder.File("csd"))).ExitCode);
        Directory.CreateDirectory(_folder.File("stories/01"));
        File.WriteAllText(_folder.File("stories/01/story.json"), """
            {"Shots": [{"index": 0, "Setting Description": {"en": "a"}, "Plot Correspondence": {"en": "a"}, "Characters Appearing": {"en": ["Ann"]},
              "Static Shot Description": {"en": "a"}, "Shot Perspective Design": {"en": "a"}}],
             "Characters": {"Ann": {"name_en": "Ann", "prompt_en": "a girl", "tag": "realistic_human"}}}
            """);
        File.Copy(_folder.File("references/0.png"), Path.Combine(Directory.CreateDirectory(_folder.File("stories/01/image/Ann")).FullName, "00.png"));
        string run = _folder.File("drawn/ours/base/en/20250430_235959");
        File.Copy(_folder.File("references/0.png"), Path.Combine(Directory.CreateDirectory(Path.Combine(run, "01")).FullName, "shot_00.png"));
        string[] command = ["evaluate", "--vistory", _folder.File("stories"), "--generated", run, "--out", _folder.File("bench")];

        JsonElement measured = (await Cli.Json([.. command, "--encoders", _folder.File("csd")])).GetProperty("runs")[0];

        // One shot, which is its character's reference.
        Assert.Equal((1, 0d), (measured.GetProperty("stories").GetInt32(), measured.GetProperty("csd_self").GetDouble()));
        Assert.Equal(1, measured.GetProperty("csd_cross").GetDouble(), 5);
        Assert.All(
            ["items.jsonl", "story_results.json", "scores.json"],
            name => Assert.True(File.Exists(_folder.File($"bench/ours/base/en/20250430_235959/metrics/csd/{name}")), name));
        (await Cli.Run([.. command, "--encoders", _folder.File("clip")])).AssertFails(ExitCode.WrongUse, "measures with CSD");
        (await Cli.Run([.. command, "--encoders", _folder.File("csd"), "--metrics", "csd"])).AssertFails(ExitCode.WrongUse, "'--metrics'", "'--vistory'");
    }

    [Theory]
    [InlineData("'csd' needs an encoder of kind Csd", "--metrics", "csd")]
    [InlineData("'fid'", "--metrics", "clip-i,fid")]
    [InlineData("give '--prompts'", "--metrics", "clip-t")]
    [InlineData("'--repeats' means nothing", "--metrics", "dino", "--repeats", "2")]
    [InlineData("'--encoders' means nothing", "--metrics", "cp")]
    [InlineData("'--batch' must lie between 1 and 1024", "--metrics", "dino", "--batch", "0")]
    [InlineData("'--device' must be cpu, cuda", "--metrics", "dino", "--device", "tpu")]
    public async Task WrongUse_IsSaid(string expected, params string[] options) =>
        (await Cli.Run([.. Command, .. options])).AssertFails(ExitCode.WrongUse, expected);

    [Fact]
    public async Task AFolderWithoutPictures_IsNamed()
    {
        Directory.CreateDirectory(_folder.File("empty"));
        CliResult result = await Cli.Run(
            "evaluate", "--references", _folder.File("references"), "--generated", _folder.File("empty"), "--encoders", _folder.File("clip"),
            "--metrics", "clip-i", "--out", _folder.File("out"));
        result.AssertFails(ExitCode.Failed, _folder.File("empty"), "found none");
    }
}
