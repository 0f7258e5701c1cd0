using Dsd.Curation.Judging;
using Dsd.Curation.Tests;
using Dsd.Evaluation.Benchmarks.InContext;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Running;
using Dsd.Imaging;
using Dsd.Testing;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Tests.Benchmarks.InContext;

public sealed class ContextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Items_AreReadFromLines_AndThoseWithoutAPictureAreMissing()
    {
        Add("a.png", 20, 20);
        Add("system/fullset/single_object/one.png", 20, 20);
        ContextFolder folder = Open(
            """{"key": "one", "task_type": "single_object", "instruction": "do it", "instruction_language": "en", "input_images": ["a.png"]}""",
            "",
            """{"key": "two", "task_type": "single_object", "instruction": "do it", "instruction_language": "en", "input_images": ["a.png"], """
            + """ "output_image": "a.png", "x": 1}""");

        Assert.Equal(["single_object/one"], folder.Items.Select(i => i.Name));
        Assert.Equal(["single_object/two"], folder.Missing);
        Assert.Equal([_folder.File("a.png")], folder.Items[0].References);
    }

    [Theory]
    [InlineData("""{"key": "../x", "task_type": "t", "instruction": "i", "instruction_language": "en", "input_images": ["a.png"]}""", "'key'")]
    [InlineData("""{"key": "x", "task_type": "t", "instruction": "i", "instruction_language": "en", "input_images": ["b.png"]}""", "b.png")]
    [InlineData("""{"key": "x", "task_type": "t", "instruction": "i", "instruction_language": "en", "input_images": []}""", "at least one")]
    [InlineData("""{"key": "x"}""", "'task_type' is missing")]
    [InlineData("nonsense", "JSON")]
    public void ALineThatIsNoItem_IsRefused_WithItsNumber(string line, string found)
    {
        Add("a.png", 20, 20);
        string message = Assert.Throws<InvalidDataException>(() => Open("", line)).Message;

        Assert.Contains("line 2", message, StringComparison.Ordinal);
        Assert.Contains(found, message, StringComparison.Ordinal);
    }

    [Theory]
    // OmniContext: the given pictures in sizes of 16 and at most 1024², then the generated one as it is.
    [InlineData(ContextBenchmark.OmniContext, "multiple_object", "pf", "omnicontext_pf.txt", "32x16 1440x720 50x60")]
    [InlineData(ContextBenchmark.OmniContext, "scene_character", "sc", "omnicontext_sc_scene.txt", "32x16 1440x720 50x60")]
    // OSBench: the true picture as it is, and the generated one in the first one's size.
    [InlineData(ContextBenchmark.OSBench, "single_generation", "pf", "osbench_pf.txt", "32x16 1440x720 70x80 32x16")]
    [InlineData(ContextBenchmark.OSBench, "single_generation", "sc", "osbench_sc.txt", "70x80 32x16")]
    [InlineData(ContextBenchmark.OSBench, "single_manipulation", "pf", "osbench_manipulation_pf.txt", "70x80 32x16")]
    public async Task AQuestion_HasTheBenchmarksRubricAndPictures(ContextBenchmark benchmark, string task, string part, string rubric, string sizes)
    {
        ContextItem item = new(
            "k", task, "put <the> cat there", "en", [Add("a.png", 40, 20), Add("b.png", 3000, 1500)], Add("g.png", 50, 60), Add("t.png", 70, 80));
        CallbackChatClient client = new("""{"score": 8, "reasoning": "fine"}""");
        JudgedScore score = await new ScoreJudge(client).AskAsync(
            part == "pf" ? ContextQuestions.PromptFollowing(item, benchmark) : ContextQuestions.SubjectConsistency(item, benchmark));

        ChatMessage asked = Assert.Single(client.Calls[0].Messages);
        Assert.Equal((8, $"{task}/k", $"{benchmark.ToString().ToLowerInvariant()}-{part}"), (score.Score, score.Item, score.Metric));
        Assert.Equal(Rubrics.Own.Text(rubric).Replace("<instruction>", "put <the> cat there", StringComparison.Ordinal), asked.Text);
        IEnumerable<(int Width, int Height)> sent = asked.Contents.OfType<DataContent>().Select(p => Picture.SizeOf(p.Data.Span, "sent"));
        Assert.Equal(sizes, string.Join(' ', sent.Select(s => $"{s.Width}x{s.Height}")));
        Assert.IsType<ChatResponseFormatJson>(client.Calls[0].Options!.ResponseFormat);
    }

    [Fact]
    public void OSBench_NeedsATruePicture() => Assert.Contains("output_image", Assert.Throws<ArgumentException>(
        () => ContextQuestions.PromptFollowing(new ContextItem("k", "t", "i", "en", ["a"], "g"), ContextBenchmark.OSBench)).Message, StringComparison.Ordinal);

    [Fact]
    public void TheTable_IsTheMeanOfEachItemsRoot_ThenOfTheTasks()
    {
        ContextItem[] items = [Item("a", "x"), Item("b", "x"), Item("c", "y"), Item("d", "y")];
        ContextScores scores = ContextScores.Of(items, ContextBenchmark.OmniContext,
        [
            .. Given("x/a", 4, 9), .. Given("x/b", 10, 0), .. Given("y/c", 8, 8), .. Given("y/d", null, 10), .. Given("z/e", 1, 1),
        ]);

        Assert.Equal(new ContextResult(7, 4.5, 3, 2), scores.ByTask["x"]);
        Assert.Equal(new ContextResult(8, 8, 8, 1), scores.ByTask["y"]);
        Assert.Equal(new ContextResult(7.5, 6.25, 5.5, 3), scores.Average);
        Assert.Equal(["y/d"], scores.Failures.Select(f => f.Item));
        Assert.Null(ContextScores.Of(items, ContextBenchmark.OSBench, scores.Scores).Average);
    }

    [Fact]
    public void TheTableInRows_HasIntervalsWithinEachTask()
    {
        ContextItem[] items = [Item("a", "x"), Item("b", "x"), Item("c", "y")];
        IReadOnlyList<BenchmarkFigure> figures = ContextScores.Of(items, ContextBenchmark.OmniContext,
            [.. Given("x/a", 4, 9), .. Given("x/b", 10, 0), .. Given("y/c", 8, 8)]).Figures();

        Assert.Equal(
            ["pf all", "pf x", "pf y", "sc all", "sc x", "sc y", "√(pf·sc) all", "√(pf·sc) x", "√(pf·sc) y"], figures.Select(f => $"{f.Figure} {f.Of}"));
        BenchmarkFigure all = figures.Single(f => f is { Figure: "√(pf·sc)", Of: "all" });
        // One task is 6 or 0 or between, the other always 8.
        Assert.Equal((5.5, 4, 7, 3), (all.Value, all.Low, all.High, all.Items));
        BenchmarkFigure alone = figures[^1];
        Assert.Equal((8, 8, 8, 1), (alone.Value, alone.Low, alone.High, alone.Items));
        Assert.Empty(ContextScores.Of(items, ContextBenchmark.OSBench, []).Figures());
    }

    private static ContextItem Item(string key, string task) => new(key, task, "i", "en", ["r"], "g");

    private static IEnumerable<JudgedScore> Given(string item, int? pf, int? sc) => new[] { ("pf", pf), ("sc", sc) }.Select(s => new JudgedScore
    {
        Item = item,
        Metric = $"omnicontext-{s.Item1}",
        Repeat = 0,
        Judge = "j",
        Question = "",
        Reason = "",
        Score = s.Item2,
    });

    private ContextFolder Open(params string[] lines)
    {
        File.WriteAllLines(_folder.File("items.jsonl"), lines);
        return ContextFolder.Open(_folder.File("items.jsonl"), _folder.File("system"));
    }

    private string Add(string name, int width, int height)
    {
        string file = _folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        TestPictures.Plain(width, height, (1, 2, 3)).Save(file);
        return file;
    }
}
