using Dsd.Curation.Judging;
using Dsd.Curation.Tests;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Running;
using Dsd.Evaluation.Tests.Judged;
using Dsd.Imaging;
using Dsd.Testing;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Tests.Benchmarks.DreamBenchPlus;

public sealed class DreamBenchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("live_subject_animal_03_cat", DreamBenchCategory.Animal)]
    [InlineData("live_subject_human_00_man_with_a_style", DreamBenchCategory.Human)]
    [InlineData("object_11_animal_crackers", DreamBenchCategory.Object)]
    [InlineData("style_02_ukiyo-e", DreamBenchCategory.Style)]
    [InlineData("mine", DreamBenchCategory.Other)]
    public void Category_IsWhatTheIdBeginsWith(string id, DreamBenchCategory category) => Assert.Equal(category, DreamBenchItem.CategoryOf(id));

    [Fact]
    public void AFolder_IsReadInTheOriginalsLayout()
    {
        Add("object_00_mug", 10, 0, "a mug\nsecond line");
        Add("object_00_mug", 2, 1, "another mug");
        Add("live_subject_animal_00_cat", 0, 0, "a cat");
        DreamBenchFolder folder = DreamBenchFolder.Open(_folder.Path);

        Assert.Equal(["live_subject_animal_00_cat-0", "object_00_mug-2-1", "object_00_mug-10"], folder.Items.Select(i => i.Key));
        Assert.Equal("a mug", folder.Items[2].Text);
        Assert.Equal(_folder.File("src_image", "object_00_mug", "2_1.jpg"), folder.Items[1].Reference);
        Assert.Equal([DreamBenchPrompts.Photorealistic, DreamBenchPrompts.Photorealistic, DreamBenchPrompts.Other], folder.Items.Select(i => i.Prompts));
    }

    [Fact]
    public void AFolderThatIsNone_SaysWhatIsMissing()
    {
        Assert.Contains("'tgt_image'", Assert.Throws<InvalidDataException>(() => DreamBenchFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        Add("object_00_mug", 0, 0, "a mug");
        File.Delete(_folder.File("src_image", "object_00_mug", "0_0.jpg"));
        Assert.Contains("0_0.jpg", Assert.Throws<InvalidDataException>(() => DreamBenchFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        Add("object_00_mug", 0, 0, " \nlater");
        Assert.Contains("empty", Assert.Throws<InvalidDataException>(() => DreamBenchFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        File.Move(_folder.File("tgt_image", "object_00_mug", "0_0.jpg"), _folder.File("tgt_image", "object_00_mug", "first.jpg"));
        Assert.Contains("first.jpg", Assert.Throws<InvalidDataException>(() => DreamBenchFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("object_00_mug", "subject")]
    [InlineData("style_00_ink", "style")]
    public async Task ConceptPreservation_IsAskedInThreeTurns_ReferenceFirst_At512AsJpeg(string collection, string rubric)
    {
        Add(collection, 0, 0, "a mug");
        CallbackChatClient client = new("Score: 4");
        await new ScoreJudge(client).AskAsync(DreamBenchQuestions.ConceptPreservation(DreamBenchFolder.Open(_folder.Path).Items[0]));

        IReadOnlyList<ChatMessage> asked = client.Calls[0].Messages;
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.User], asked.Select(m => m.Role));
        Assert.Equal(Rubrics.Own.Text($"user_prompt_{rubric}_full.txt"), asked[0].Text);
        Assert.Equal(Rubrics.Own.Text($"gpt_prompt_{rubric}_full.txt"), asked[1].Text);
        DataContent[] pictures = [.. asked[2].Contents.Cast<DataContent>()];
        Assert.All(pictures, p => Assert.Equal(
            ("image/jpeg", (512, 512), "high"), (p.MediaType, Picture.SizeOf(p.Data.Span, "sent"), p.AdditionalProperties!["detail"])));
        Assert.True(Red(pictures[0]) > 200 && Red(pictures[1]) < 50);
    }

    [Fact]
    public async Task PromptFollowing_IsAskedInThreeTurns_WithPromptAndPicture()
    {
        Add("object_00_mug", 4, 0, "a mug in the snow");
        CallbackChatClient client = new("Analysis: it is there.\nScore: 4");
        JudgedScore score = await new ScoreJudge(client).AskAsync(DreamBenchQuestions.PromptFollowing(DreamBenchFolder.Open(_folder.Path).Items[0]));

        Assert.Equal(("object_00_mug-4", "dreambench-pf", 4), (score.Item, score.Metric, score.Score));
        IReadOnlyList<AIContent> last = [.. client.Calls[0].Messages[2].Contents];
        Assert.Equal("a mug in the snow", Assert.IsType<TextContent>(last[0]).Text);
        Assert.True(Red(Assert.IsType<DataContent>(last[1])) < 50);
    }

    [Fact]
    public async Task Judging_SumsUpByCategoryAndPrompt_AndReportsWhatHasNoScore()
    {
        for (int prompt = 0; prompt < 9; prompt++)
        {
            Add("live_subject_animal_00_cat", prompt, 0, $"cat {prompt}");
            Add("style_00_ink", prompt, 0, $"ink {prompt}");
        }
        Add("style_00_ink", 0, 1, "a second picture, which the original does not judge");
        // CP: animals 4, styles 2. PF: 1 for photorealistic prompts, 3 for styles, none can be read of imaginative ones.
        CallbackChatClient client = new((_, messages, _) => Task.FromResult(
            messages[2].Text.Length == 0
                ? messages[0].Text.Contains("style of a reference", StringComparison.Ordinal) ? "Score: 2" : "Score: 4"
                : int.Parse(messages[2].Text.Split(' ')[^1]) switch { <= 3 => "Score: 1", <= 6 => "Score: 3", _ => "Lovely." }));
        MemoryScores store = new();
        DreamBenchScores scores = await DreamBenchJudging.JudgeAsync(
            DreamBenchFolder.Open(_folder.Path), new ScoreJudge(client, new ScoreJudgeOptions { Store = store }));

        Assert.Equal(0.75, scores.ConceptPreservation!.Mean, 12);
        Assert.Equal(0, scores.ConceptPreservation.Deviation!.Value, 12);
        Assert.Equal([1.0, 0.5], scores.ByCategory.OrderBy(c => c.Key).Select(c => c.Value.Mean));
        Assert.Equal([DreamBenchPrompts.Photorealistic, DreamBenchPrompts.StyleTransfer], scores.ByPrompts.Keys.Order());
        // (4 · 1 + 3 · 3) / 7 / 4: what could not be read is no 0.
        Assert.Equal(13.0 / 28, scores.PromptFollowing!.Mean, 12);
        Assert.Equal(0.75 * 13 / 28, scores.Product!.Value, 12);
        Assert.Equal(2 * 2 * 3, scores.Failures.Count());
        Assert.Equal(18 * 2 * 3, store.Scores.Count);
    }

    [Fact]
    public void TheTableInRows_HasWhatThereIs_ByCategoryAndKindOfPrompt()
    {
        DreamBenchItem[] items =
        [
            .. new[] { "animal_0", "mine" }.SelectMany(c => new[] { 0, 5, 20 }.Select(p => new DreamBenchItem(c, p, 0, "r", "g", "t"))),
        ];
        JudgedScore Score(DreamBenchItem item, string metric, int repeat, int score) => new()
        {
            Item = item.Key,
            Metric = metric,
            Repeat = repeat,
            Judge = "j",
            Question = "",
            Reason = "",
            Score = score,
        };
        JudgedScore[] cp = [.. items.SelectMany(i => new[] { Score(i, "dreambench-cp", 0, 4), Score(i, "dreambench-cp", 1, 2) })];
        JudgedScore[] pf = [.. items.Select(i => Score(i, "dreambench-pf", 0, i.Prompt == 5 ? 2 : 4))];

        IReadOnlyList<BenchmarkFigure> figures = DreamBenchScores.Of(items, [.. cp, .. pf]).Figures();

        // What is of no category or kind counts in the whole alone.
        Assert.Equal(
            ["cp all 6", "cp animal 3", "pf all 6", "pf prompts 0-3 (photorealistic) 2", "pf prompts 4-6 (style transfer) 2", "cp·pf all 6"],
            figures.Select(f => $"{f.Figure} {f.Of} {f.Items}"));
        double[] expected = [0.75, 0.75, 5.0 / 6, 1, 0.5, 0.75 * 5 / 6];
        Assert.All(expected.Zip(figures), f => Assert.Equal(f.First, f.Second.Value, 12));
        Assert.Equal(Math.Sqrt(0.125), figures[0].Deviation!.Value, 12);
        Assert.Null(figures[2].Deviation);
        Assert.DoesNotContain(DreamBenchScores.Of(items, cp).Figures(), f => f.Figure == "cp·pf");
    }

    private static int Red(DataContent picture) => Picture.Decode(picture.Data.Span, "sent").Pixels[0];

    // References are red, generated pictures are not.
    private void Add(string collection, int prompt, int sample, string text)
    {
        foreach (string folder in new[] { "src_image", "tgt_image" })
        {
            Directory.CreateDirectory(_folder.File(folder, collection));
            byte red = folder == "src_image" ? (byte)255 : (byte)0;
            File.WriteAllBytes(_folder.File(folder, collection, $"{prompt}_{sample}.jpg"), TestPictures.Plain(24, 16, (red, 0, 100)).EncodeJpeg());
        }
        Directory.CreateDirectory(_folder.File("text", collection));
        File.WriteAllText(_folder.File("text", collection, $"{prompt}_{sample}.txt"), text);
    }
}
