using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Imaging;
using Dsd.Testing;
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

    [Theory]
    [InlineData("'csd' needs an encoder of kind Csd", "--metrics", "csd")]
    [InlineData("'fid'", "--metrics", "clip-i,fid")]
    [InlineData("give '--prompts'", "--metrics", "clip-t")]
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
