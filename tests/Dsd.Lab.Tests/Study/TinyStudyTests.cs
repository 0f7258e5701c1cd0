using System.Text.Json;
using Dsd.Imaging;
using Dsd.Lab.Study;
using Dsd.Lab.Study.Baselines;
using Dsd.Lab.Tests.Study.Baselines;
using Dsd.Testing;
using Dsd.Tiny;
using static TorchSharp.torch;

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
            Assert.Equal(["system", "subjects", "cp", "cp_low", "cp_high", "pf", "pf_low", "pf_high", "seconds_per_subject", "started_from", "steps"],
                r.EnumerateObject().Select(p => p.Name));
            Assert.Equal(2, r.GetProperty("subjects").GetInt32());
            Assert.InRange(r.GetProperty("cp").GetDouble(), r.GetProperty("cp_low").GetDouble(), r.GetProperty("cp_high").GetDouble());
            Assert.Equal(r.GetProperty("system").GetString() == "text", r.GetProperty("seconds_per_subject").GetDouble() == 0);
        });
        using JsonDocument relighting = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "relighting.json")));
        Assert.Equal(["relight", "copy", "text"], relighting.RootElement.EnumerateArray().Select(r => r.GetProperty("system").GetString()));
        string text = File.ReadAllText(_folder.File("out", "results.md"));
        Assert.All(TinyStudy.SystemNames, name => Assert.Contains($"| {name} |", text));
        Assert.Equal(6, text.Split("**met**").Length + text.Split("**missed**").Length - 2);
        Assert.Equal(11 * TinyModel.PanelSize + 10 * 4, Picture.Load(_folder.File("out", "comparison.png")).Width);
        Assert.DoesNotContain("src=\"sheets", File.ReadAllText(_folder.File("out", "report.html")));

        (string File, DateTime Time)[] before = Parts();
        said.Clear();
        Assert.True(TinyStudy.Run(_options, said.Add));
        Assert.Equal(before, Parts());
        Assert.StartsWith("results: ", Assert.Single(said));
    }

    [Fact]
    public void Run_WithTheModelsOwnStudent_TakesItAsItIsAndSaysWhatIsLeftOut()
    {
        string student = Path.Combine(_teacher.Folder, "dsd", "pytorch_lora_weights.safetensors");
        DsdSystem.Train(_teacher.Folder, CPU, _teacher.Pairs, new StudyBudget(1, 1, 0.01, 2, 3.5f, 1), student);
        byte[] before = File.ReadAllBytes(student);
        File.WriteAllText(_folder.File("config.json"), SmallTeacher.StudyConfig.Replace(
            "\"grids\"", "\"systems\": [\"text\", \"dsd\"], \"models_own_student\": true, \"grids\"", StringComparison.Ordinal));

        Assert.True(TinyStudy.Run(_options, _ => { }));

        Assert.False(Directory.Exists(_folder.File("out", "grids")));
        Assert.Equal(before, File.ReadAllBytes(student));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "results.json")));
        Assert.Equal(
            [("text", "the model's teacher", 0), ("dsd", "the model's own student", 0)],
            json.RootElement.EnumerateArray().Select(
                r => (r.GetProperty("system").GetString(), r.GetProperty("started_from").GetString(), r.GetProperty("steps").GetInt32())));
        string text = File.ReadAllText(_folder.File("out", "results.md"));
        Assert.Contains("Left out: per_subject_lora, image_embedding, structure, dsd_uncurated,", text);
        Assert.Contains("dsd_edit_only, relight.", text);
        Assert.DoesNotContain("## Relighting", text);
        Assert.DoesNotContain("The judge kept", text);
        Assert.Contains("left out of the study", Assert.Throws<ArgumentException>(() => TinyStudy.Run(_options with { Only = ["relight"] }, _ => { })).Message);
    }

    [Fact]
    public void Run_WithoutTheModelsOwnStudent_SaysWhichFileIsMissing()
    {
        string model = _folder.File("model");
        Directory.CreateDirectory(Path.Combine(model, "judge"));
        Directory.CreateDirectory(Path.Combine(model, "classifier"));
        File.WriteAllText(_folder.File("config.json"), SmallTeacher.StudyConfig.Replace("\"grids\"", "\"models_own_student\": true, \"grids\"",
            StringComparison.Ordinal));

        FileNotFoundException e = Assert.Throws<FileNotFoundException>(
            () => TinyStudy.Run(_options with { ModelFolder = model, Only = ["dsd"] }, _ => { }));

        Assert.Contains("pytorch_lora_weights", e.FileName);
    }

    [Fact]
    public void Run_WithSettingsToChooseFrom_TriesAllOnceAndTakesTheBest()
    {
        File.WriteAllText(_folder.File("config.json"), SmallTeacher.StudyConfig.Replace(
            "\"grids\"",
            "\"systems\": [\"per_subject_lora\"], \"subject_lora_choice\": { \"subjects\": 1, \"prompts\": 1, \"least_pf\": 0, \"steps\": [1, 3], "
                + "\"learning_rates\": [0.01], \"scales\": [1, 0.5] }, \"grids\"",
            StringComparison.Ordinal));

        Assert.True(TinyStudy.Run(_options, _ => { }));

        SubjectChoice choice = SubjectChoice.Load(_folder.File("out", "systems", "per_subject_lora", "choice.json"));
        Assert.Equal([(1, 1f), (1, 0.5f), (3, 1f), (3, 0.5f)], choice.Settings.Select(s => (s.Steps, s.Scale)));
        SubjectChoice.Setting best = choice.Best(leastPf: 0);
        Assert.Equal(choice.Settings.Max(s => s.Cp.Mean), best.Cp.Mean);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_folder.File("out", "results.json")));
        Assert.Equal(best.Steps, json.RootElement[0].GetProperty("steps").GetInt64());
        Assert.Contains("the best of 4 on 1 other held-out subjects", File.ReadAllText(_folder.File("out", "results.md")));
        Assert.Equal(
            ["choice.json", "pictures", "result.json", "subjects", "timing.json"],
            Directory.EnumerateFileSystemEntries(_folder.File("out", "systems", "per_subject_lora")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
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
