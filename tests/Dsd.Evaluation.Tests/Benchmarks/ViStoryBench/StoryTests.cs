using System.Text.Json;
using Dsd.Evaluation.Benchmarks.ViStoryBench;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Tests.Encoders;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Benchmarks.ViStoryBench;

public sealed class StoryTests(ExportedEncoders encoders) : IClassFixture<ExportedEncoders>, IDisposable
{
    private static readonly string[] Pictures = [.. EvalFixtures.Pictures.Where(p => p.EndsWith(".png", StringComparison.Ordinal)).Take(4)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AStory_IsReadAsTheOriginalReadsIt()
    {
        AddStory("07", """
            {"Shots": [
              {"index": 3, "Setting Description": {"en": "a yard", "ch": "院子"}, "Plot Correspondence": {"en": "p"},
               "Characters Appearing": {"en": ["Ann", "Nobody"]},
               "Static Shot Description": {"en": "s"}, "Shot Perspective Design": {"en": "c"}},
              {"index": 4, "Setting Description": {"en": "left out, since fields are missing"}}],
             "Characters": {"Ann": {"name_en": "Ann", "prompt_en": "a girl", "tag": "realistic_human"}, "Bob": {"name_en": "Bob"}}}
            """);
        AddImage("07", "Ann", "10.jpg", Pictures[0]);
        AddImage("07", "Ann", "02.jpg", Pictures[0]);
        AddImage("07", "Ann", "inner/00.jpg", Pictures[0]);
        AddStory("2", "{}");
        StoryFolder stories = StoryFolder.Open(_folder.File("ViStory"));
        Story story = stories.Load("07");

        Assert.Equal(["2", "07"], stories.Ids);
        StoryShot shot = Assert.Single(story.Shots);
        Assert.Equal((3, "a yard"), (shot.Index, shot.Setting));
        Assert.Equal("院子", stories.Load("07", "ch").Shots[0].Setting);
        Assert.Equal(["Ann", "Nobody"], shot.Characters);
        Assert.Equal(["02.jpg", "10.jpg", "00.jpg"], story.Characters[0].Images.Select(i => Path.GetFileName(i)));
        Assert.Equal(("Bob", 0), (story.Characters[1].Key, story.Characters[1].Images.Count));
    }

    [Theory]
    [InlineData("""{"Characters": {"../../etc": {}}}""", "'../../etc'")]
    [InlineData("""{"Shots": {}}""", "'Shots'")]
    [InlineData(
        """{"Shots": [{"Setting Description": 1, "Plot Correspondence": 1, "Characters Appearing": 1, "Static Shot Description": 1, """
        + """ "Shot Perspective Design": 1, "index": -1}]}""", "-1")]
    [InlineData("[1", "JSON")]
    [InlineData("""{"Characters": {"Ann": {"name_en": "\ud800"}}}""", "surrogate")]
    [InlineData("""{"Characters": {"\ud800": {}}}""", "surrogate")]
    public void AStoryThatIsNone_IsRefused_WithWhatWasFound(string json, string found)
    {
        AddStory("01", json);
        string message = Assert.Throws<InvalidDataException>(() => StoryFolder.Open(_folder.File("ViStory")).Load("01")).Message;

        Assert.Contains("story.json", message, StringComparison.Ordinal);
        Assert.Contains(found, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_AreFoundInEachOfTheLayouts()
    {
        AddOutput("01/shot_00.png");
        AddOutput("01/shot_12.jpg");
        AddOutput("02/shots/03.png");
        AddOutput("shots/04/shot_05.png");
        AddOutput("05/20250101-000000/shots/01.png");
        AddOutput("05/20250102_000000/shots/01.png");
        StoryOutputs outputs = StoryOutputs.Open(_folder.File("m", "base", "en", "20250430_235959"));

        Assert.Equal(["01", "02", "04", "05"], outputs.Stories.Keys.Order());
        Assert.Equal([0, 12], outputs.Stories["01"].Keys);
        Assert.Equal(3, Assert.Single(outputs.Stories["02"].Keys));
        Assert.Equal(5, Assert.Single(outputs.Stories["04"].Keys));
        Assert.Contains("20250102", outputs.Stories["05"][1], StringComparison.Ordinal);

        AddOutput("01/cover.png");
        Assert.Contains("cover.png", Assert.Throws<InvalidDataException>(() => StoryOutputs.Open(outputs.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => StoryOutputs.Open(_folder.File("none")));
    }

    [Theory]
    [InlineData("out/uno/base/en/20250430_235959", "uno", "base", "en")]
    [InlineData("out/uno/ch/base/20250430-235959", "uno", "base", "ch")]
    public void ARun_IsToldByItsFolder(string folder, string method, string mode, string language)
    {
        StoryRun run = StoryRun.Of(folder);
        Assert.Equal((method, mode, language), (run.Method, run.Mode, run.Language));
        Assert.Throws<ArgumentException>(() => StoryRun.Of("out/uno/base/en"));
    }

    [Fact]
    public void Style_IsAsDefined()
    {
        // Similarities of files are made up: the product of their numbers.
        static double Similarity(string a, string b) => double.Parse(a) * double.Parse(b);
        Story story = new(
            "01",
            [Shot(0, "Ann"), Shot(1, "Ann", "Bob"), Shot(2), Shot(3, "Nobody"), Shot(4, "Cid"), Shot(9, "Ann")],
            [Character("Cid"), Character("Ann", "0.5", "0.9"), Character("Bob", "0.1")]);
        StoryStyle style = StoryStyle.Of(
            story, new SortedDictionary<int, string> { [0] = "0.2", [1] = "0.4", [2] = "0.6", [3] = "0.8", [4] = "1.0", [7] = "0.3" }, Similarity);

        // Self: all pairs of the six pictures: ((Σx)² − Σx²) / 2 / 15 with Σx = 3.3 and Σx² = 2.29.
        Assert.Equal((3.3 * 3.3 - 2.29) / 2 / 15, style.Self, 12);
        // Cross: by Ann's first picture; by Ann's and Bob's; nobody, unknown and without a picture all fall back to Ann, the first with one. Shot 9 has no
        // picture.
        Assert.Equal([0.1, 0.12, 0.3, 0.4, 0.5], style.Shots.Select(s => Math.Round(s.Score, 12)));
        Assert.Equal((0.1 + 0.12 + 0.3 + 0.4 + 0.5) / 5, style.Cross, 12);
        Assert.Equal(["Ann"], style.Shots[4].Characters.Select(c => c.Character));
    }

    [Fact]
    public void AStoryOfOnePicture_OrWithoutReferences_GivesZero()
    {
        Story story = new("01", [Shot(0, "Ann")], [Character("Ann")]);
        StoryStyle style = StoryStyle.Of(story, new SortedDictionary<int, string> { [0] = "0.2" }, (_, _) => 1);

        Assert.Equal((0, 0, 0), (style.Self, style.Cross, style.Shots.Count));
    }

    [Fact]
    public void ARun_IsMeasuredAndWritten_AndNotMeasuredAgain()
    {
        PictureEncoder csd = encoders["csd"];
        const string Json = """
            {"Shots": [
              {"index": 0, "Setting Description": {"en": ""}, "Plot Correspondence": {"en": ""}, "Characters Appearing": {"en": ["Ann"]},
               "Static Shot Description": {"en": ""}, "Shot Perspective Design": {"en": ""}},
              {"index": 1, "Setting Description": {"en": ""}, "Plot Correspondence": {"en": ""}, "Characters Appearing": {"en": ["Ann"]},
               "Static Shot Description": {"en": ""}, "Shot Perspective Design": {"en": ""}}],
             "Characters": {"Ann": {}}}
            """;
        foreach (string id in new[] { "01", "02", "03" })
        {
            AddStory(id, Json);
            AddImage(id, "Ann", "00.png", Pictures[0]);
        }
        // The first story shows the reference itself, the second other pictures, the third is missing.
        AddOutput("01/shot_00.png", Pictures[0]);
        AddOutput("01/shot_01.png", Pictures[0]);
        AddOutput("02/shot_00.png", Pictures[1]);
        AddOutput("02/shot_01.png", Pictures[2]);
        StoryRun run = StoryRun.Of(_folder.File("m", "base", "en", "20250430_235959"));
        string results = _folder.File("results");
        List<string> measured = [];
        StoryStyleScores Measure() => StoryStyleMeasure.Measure(
            csd, StoryFolder.Open(_folder.File("ViStory")), StoryOutputs.Open(run.FolderIn(_folder.Path)), run, results, progress: new Seen(measured));
        StoryStyleScores scores = Measure();

        Assert.Equal(["03"], scores.Missing);
        Assert.Equal(1, scores.Stories["01"].Self, 5);
        Assert.Equal(1, scores.Stories["01"].Cross, 5);
        Assert.True(scores.Stories["02"].Cross < 0.9999);
        Assert.Equal((scores.Stories["01"].Cross + scores.Stories["02"].Cross) / 2, scores.Cross, 12);

        string folder = Path.Combine(results, "m", "base", "en", "20250430_235959", "metrics", "csd");
        Assert.Equal(["items.jsonl", "scores.json", "story_results.json"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        JsonElement story = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "story_results.json"))).RootElement.GetProperty("02");
        Assert.Equal(["run", "metric", "scope", "status", "metrics", "shot_details"], story.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["method", "mode", "language", "dataset", "timestamp"], story.GetProperty("run").EnumerateObject().Select(p => p.Name));
        Assert.Equal(
            ["index", "score", "ref_image", "gen_image", "elapsed_time(seconds)", "character_scores"],
            story.GetProperty("shot_details")[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal(scores.Stories["02"].Self, story.GetProperty("metrics").GetProperty("self_csd").GetDouble());
        string[] items = File.ReadAllLines(Path.Combine(folder, "items.jsonl"));
        Assert.Equal(4, items.Length);
        JsonElement item = JsonDocument.Parse(items[3]).RootElement;
        Assert.Equal(("cross_csd", "02", 1, "cosine_similarity", "complete"), (
            item.GetProperty("metric").GetProperty("submetric").GetString(),
            item.GetProperty("scope").GetProperty("story_id").GetString(),
            item.GetProperty("scope").GetProperty("shot_index").GetInt32(),
            item.GetProperty("unit").GetString(),
            item.GetProperty("status").GetString()));
        JsonElement whole = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "scores.json"))).RootElement;
        Assert.Equal(["metric", "scope", "metrics"], whole.EnumerateObject().Select(p => p.Name));
        Assert.Equal(scores.Cross, whole.GetProperty("metrics").GetProperty("cross_csd").GetDouble());

        Assert.Equal(["01", "02"], measured);
        StoryStyleScores again = Measure();
        Assert.Equal(2, measured.Count);
        Assert.Equal((scores.Self, scores.Cross), (again.Self, again.Cross));

        AddOutput("03/shot_00.png", Pictures[3]);
        Assert.Empty(Measure().Missing);
        Assert.Equal(["01", "02", "03"], measured);
    }

    [Fact]
    public void AnEncoderThatIsNotCsd_AndDamagedResults_AreRefused()
    {
        Assert.Contains("Csd", Assert.Throws<ArgumentException>(
            () => StoryStyleMeasure.Measure(encoders["dino"], new Story("01", [], []), new Dictionary<int, string>())).Message, StringComparison.Ordinal);

        AddStory("01", "{}");
        AddOutput("01/shot_00.png", Pictures[0]);
        StoryRun run = StoryRun.Of(_folder.File("m", "base", "en", "20250430_235959"));
        string file = Path.Combine(run.FolderIn(_folder.File("results")), "metrics", "csd", "story_results.json");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        const string WithoutShot = """{"01": {"status": "complete", "metrics": {}, "shot_details": [null]}}""";
        foreach (string damaged in new[] { "{", """{"01": {"status": "complete"}}""", WithoutShot })
        {
            File.WriteAllText(file, damaged);
            Assert.Contains(file, Assert.Throws<InvalidDataException>(() => StoryStyleMeasure.Measure(
                encoders["csd"], StoryFolder.Open(_folder.File("ViStory")), StoryOutputs.Open(run.FolderIn(_folder.Path)), run,
                _folder.File("results"))).Message,
                StringComparison.Ordinal);
        }
    }

    private static StoryShot Shot(int index, params string[] characters) => new(index, characters, "", "", "", "");

    private static StoryCharacter Character(string key, params string[] images) => new(key, key, "", "", images);

    private void AddStory(string id, string json)
    {
        Directory.CreateDirectory(_folder.File("ViStory", id));
        File.WriteAllText(_folder.File("ViStory", id, "story.json"), json);
    }

    private void AddImage(string id, string character, string name, string picture) => Copy(picture, _folder.File("ViStory", id, "image", character, name));

    private void AddOutput(string name, string? picture = null) => Copy(picture ?? Pictures[0], _folder.File("m", "base", "en", "20250430_235959", name));

    private static void Copy(string picture, string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Copy(EvalFixtures.Path("images", picture), file, overwrite: true);
    }

    private sealed class Seen(List<string> seen) : IProgress<string>
    {
        public void Report(string value) => seen.Add(value);
    }
}
