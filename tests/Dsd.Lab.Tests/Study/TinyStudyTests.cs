using Dsd.Tiny;
using System.Text.Json;
using Dsd.Imaging;
using Dsd.Lab.Study;
using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Testing;

namespace Dsd.Lab.Tests.Study;

/// <summary>The whole study at a size of seconds, with a teacher of random weights and a classifier that has learned next to nothing.</summary>
[Collection("Torch's random numbers")]
public sealed class StudyCommandTests : IClassFixture<SmallTeacher>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SmallTeacher _teacher;
    private readonly StudyOptions _options;

    public StudyCommandTests(SmallTeacher teacher)
    {
        _teacher = teacher;
        teacher.AddMeasures();
        File.WriteAllText(_folder.File("config.json"), SmallTeacher.StudyConfig);
        _options = new StudyOptions { OutFolder = _folder.File("out"), ModelFolder = teacher.Folder, ConfigFile = _folder.File("config.json") };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_MeasuresEverySystemAndDoesNothingTwice()
    {
        List<string> said = [];
        Assert.True(TinyStudy.Run(_options, said.Add));

        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "results.json")));
        JsonElement[] rows = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(
            ["text", "per_subject_lora", "image_embedding", "structure", "dsd_uncurated", "dsd_random", "dsd", "dsd_oracle", "dsd_one_template",
                "dsd_edit_only"],
            rows.Select(r => r.GetProperty("system").GetString()));
        Assert.All(rows, r =>
        {
            Assert.Equal(["system", "subjects", "cp", "cp_low", "cp_high", "pf", "pf_low", "pf_high", "seconds_per_subject"],
                r.EnumerateObject().Select(p => p.Name));
            Assert.Equal(2, r.GetProperty("subjects").GetInt32());
            Assert.InRange(r.GetProperty("cp").GetDouble(), r.GetProperty("cp_low").GetDouble(), r.GetProperty("cp_high").GetDouble());
            Assert.Equal(r.GetProperty("system").GetString() == "text", r.GetProperty("seconds_per_subject").GetDouble() == 0);
        });
        using JsonDocument relighting = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "relighting.json")));
        Assert.Equal(["relight", "copy", "text"], relighting.RootElement.EnumerateArray().Select(r => r.GetProperty("system").GetString()));
        string text = File.ReadAllText(_folder.File("out", "results.md"));
        Assert.All(TinyStudy.SystemNames, name => Assert.Contains($"| {name} |", text));
        Assert.Equal(5, text.Split("**met**").Length + text.Split("**missed**").Length - 2);
        Assert.Equal(11 * TinyModel.PanelSize + 10 * 4, Picture.Load(_folder.File("out", "comparison.png")).Width);
        Assert.DoesNotContain("src=\"sheets", File.ReadAllText(_folder.File("out", "report.html")));

        (string File, DateTime Time)[] before = Parts();
        said.Clear();
        Assert.True(TinyStudy.Run(_options, said.Add));
        Assert.Equal(before, Parts());
        Assert.StartsWith("results: ", Assert.Single(said));
    }

    [Fact]
    public void Run_OfOneSystem_MeasuresThatOneAndReportsNothing()
    {
        Assert.True(TinyStudy.Run(_options with { Only = ["dsd_oracle"] }, _ => { }));
        SystemResult result = SystemResult.Load(_folder.File("out", "systems", "dsd_oracle", "result.json"));
        int kept = CuratedGrids.Load(_folder.File("out", "grids", "varied", "judged.json")).Kept.Count;
        Assert.InRange(kept, 3, 6);
        Assert.Equal((2, kept, kept / 6.0), (result.CpBySubject.Count, result.Pairs, result.KeptShare));
        Assert.Equal(["dsd_oracle"], Directory.EnumerateDirectories(_folder.File("out", "systems")).Select(Path.GetFileName));
        Assert.False(File.Exists(_folder.File("out", "results.json")));
    }

    [Fact]
    public void Run_ThatIsCancelled_GoesOnWithWhatItHasAndComesToTheSame()
    {
        StudyOptions options = _options with { Only = ["grids", "dsd"] };
        Assert.True(TinyStudy.Run(options with { OutFolder = _folder.File("undisturbed") }, _ => { }));
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => TinyStudy.Run(options, line =>
        {
            if (line.StartsWith("dsd: step", StringComparison.Ordinal) || line.StartsWith("dsd: 3/4", StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        }, stop.Token));
        Assert.False(File.Exists(_folder.File("out", "systems", "dsd", "result.json")));
        Assert.True(TinyStudy.Run(options, _ => { }));
        Assert.Equal(
            File.ReadAllText(_folder.File("undisturbed", "systems", "dsd", "result.json")),
            File.ReadAllText(_folder.File("out", "systems", "dsd", "result.json")));
    }

    [Fact]
    public void Run_WithoutTime_StopsAndSaysSo()
    {
        List<string> said = [];
        Assert.False(TinyStudy.Run(_options with { Time = TimeSpan.Zero }, said.Add));
        Assert.Contains(said, line => line.Contains("continues from here", StringComparison.Ordinal));
        Assert.False(Directory.Exists(_folder.File("out", "systems")));
    }

    [Fact]
    public void Run_InAFolderOfAnotherSeed_IsRefused()
    {
        Assert.False(TinyStudy.Run(_options with { Time = TimeSpan.Zero }, _ => { }));
        ArgumentException e = Assert.Throws<ArgumentException>(() => TinyStudy.Run(_options with { Seed = 8 }, _ => { }));
        Assert.Contains("another config or seed", e.Message);
    }

    [Fact]
    public void Run_RefusesAnUnknownPart()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => TinyStudy.Run(_options with { Only = ["dsd", "teeth"] }, _ => { }));
        Assert.Contains("Part 'teeth': expected one of grids, text", e.Message);
    }

    [Fact]
    public void Run_WithoutAClassifier_SaysHowToTrainOneAndLeavesNothing()
    {
        string model = _folder.File("model");
        Directory.CreateDirectory(Path.Combine(model, "judge"));
        DirectoryNotFoundException e = Assert.Throws<DirectoryNotFoundException>(() => TinyStudy.Run(_options with { ModelFolder = model }, _ => { }));
        Assert.Contains("--stage classifier", e.Message);
        Assert.False(Directory.Exists(_options.OutFolder));
    }

    private (string, DateTime)[] Parts() =>
    [
        .. Directory.EnumerateFiles(_folder.File("out", "systems"), "*", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(_folder.File("out", "grids"), "*", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .Select(f => (f, File.GetLastWriteTimeUtc(f))),
    ];
}
