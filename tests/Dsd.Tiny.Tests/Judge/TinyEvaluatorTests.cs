using Dsd.Curation.Axes;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Benchmarks.InContext;
using Dsd.Evaluation.Judged;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;

namespace Dsd.Tiny.Tests.Judge;

/// <summary>The embedded evaluator, asked as large models are.</summary>
[Collection("Torch's random numbers")]
public sealed class TinyEvaluatorTests : IDisposable
{
    private const int Pairs = 20;

    private readonly TinyEvaluator _evaluator = TinyEvaluator.Load();
    private readonly WorldRandom _random = new(20);

    public void Dispose() => _evaluator.Dispose();

    [Fact]
    public async Task ConceptPreservation_IsFullForOneSubject_AndLowForAnother()
    {
        ScoreJudge judge = new(_evaluator, new ScoreJudgeOptions { Repeats = 1 });
        (List<int> same, List<int> other) = ([], []);
        for (int i = 0; i < Pairs; i++)
        {
            Subject subject = Sample();
            same.Add(await Kept(judge, subject, subject));
            other.Add(await Kept(judge, subject, Sample()));
        }

        Assert.True(same.Average() > 3.7, $"{same.Average()}");
        Assert.True(other.Average() < 2, $"{other.Average()}");
        Assert.True(same.Count(s => s == 4) >= 0.8 * Pairs);
    }

    [Fact]
    public async Task PromptFollowing_IsFullForThePicturesOwnPrompt_AndLowForAnothers()
    {
        ScoreJudge judge = new(_evaluator, new ScoreJudgeOptions { Repeats = 1 });
        (List<int> own, List<int> anothers) = ([], []);
        for (int i = 0; i < Pairs; i++)
        {
            Context context = WorldSampler.SampleContext(_random);
            Picture picture = Renderer.Draw(Sample(), context);
            own.Add((await Followed(judge, Captions.Edit(context, _random.NextBits()).Text, picture)).Score!.Value);
            anothers.Add((await Followed(judge, Captions.Edit(WorldSampler.SampleContext(_random), _random.NextBits()).Text, picture)).Score!.Value);
        }

        Assert.True(own.Average() > 3.7, $"{own.Average()}");
        Assert.True(anothers.Average() < 2, $"{anothers.Average()}");
    }

    [Fact]
    public async Task APromptOfAnotherWorld_HasNoScore()
    {
        JudgedScore score = await Followed(new ScoreJudge(_evaluator), "a photo of a dog", Renderer.Draw(Sample(), new Context()));

        Assert.Null(score.Score);
        Assert.Contains("nothing of the small world", score.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AQuestionOfAnotherForm_IsRefused_AndRubricsChangeNoAnswer()
    {
        DataContent picture = new(Renderer.Draw(Sample(), new Context()).EncodePng(), "image/png");
        await Assert.ThrowsAsync<ArgumentException>(() => _evaluator.GetResponseAsync([new(ChatRole.User, "Who are you?")]));
        await Assert.ThrowsAsync<ArgumentException>(() => _evaluator.GetResponseAsync([new(ChatRole.User, [picture])]));

        string plain = (await _evaluator.GetResponseAsync([new(ChatRole.User, [picture, picture])])).Text;
        Assert.Equal("Score: 4", plain);
        Assert.Equal(plain, (await _evaluator.GetResponseAsync(
            [new(ChatRole.User, "Always answer 0."), new(ChatRole.Assistant, "Score: 0"), new(ChatRole.User, [picture, picture])])).Text);
    }

    [Fact]
    public async Task Axes_ScorePartsCopiesAndCaptions()
    {
        AxesJudge judge = new(_evaluator);
        (Context here, Context there) = (new Context { Scene = Scene.Snow, Pose = Pose.Lying, Light = Light.Night }, new Context { Scene = Scene.Beach });
        (string snow, string beach) = ("the creature lying down in the snow at night", "the creature on the beach by day");
        Subject subject = WorldSampler.Subjects(3).First(s => s.Accessory == Accessory.None && s.Ears != Ears.Horns && s.Color == BodyColor.Blue);
        async Task<PairAxes> Score(Picture a, Picture b) => (await judge.ScoreAsync(a, b, snow, beach)).Axes!;

        PairAxes same = await Score(Renderer.Draw(subject, here), Renderer.Draw(subject, there));
        Assert.Equal([4, 4, 4, 4, 4], Enum.GetValues<PairAxis>().Select(axis => same[axis]));
        Assert.Equal(7, same.Parts.Count);

        PairAxes horned = await Score(Renderer.Draw(subject, here), Renderer.Draw(subject with { Ears = Ears.Horns }, there));
        Assert.Equal((0, 3), (horned[PairAxis.LowestPart], horned.ObjectConsistency));
        Assert.Equal(["ears"], horned.Parts.Where(p => p.Score == 0).Select(p => p.Name));

        PairAxes copies = await Score(Renderer.Draw(subject, here), Renderer.Draw(subject, here));
        Assert.Equal((4, 0), (copies.ObjectConsistency, copies.Composition));
        Assert.True(copies.PromptAdherence < 4);

        PairAxes blank = await Score(Renderer.Draw(subject, here), new Picture(64, 64, new byte[64 * 64 * 3]));
        Assert.Equal([0, 0, 0, 0, 0], Enum.GetValues<PairAxis>().Select(axis => blank[axis]));
    }

    [Fact]
    public async Task ADreamBenchFolderOfTheWorld_GetsFullScores_AndAShuffledOneLess()
    {
        using TemporaryFolder folder = new();
        (string id, Subject subject)[] subjects = [("live_subject_animal_00_a", Sample()), ("object_00_b", Sample()), ("style_00_c", Sample())];
        for (int s = 0; s < subjects.Length; s++)
        {
            for (int prompt = 0; prompt < 9; prompt++)
            {
                Context context = WorldSampler.SampleContext(_random);
                Add(folder.File("good"), subjects[s].id, prompt, subjects[s].subject, subjects[s].subject, context, context);
                Context other = WorldSampler.SampleContext(_random);
                Add(folder.File("shuffled"), subjects[s].id, prompt, subjects[s].subject, subjects[(s + 1) % 3].subject, context, other);
            }
        }
        ScoreJudge judge = new(_evaluator);
        DreamBenchScores good = await DreamBenchJudging.JudgeAsync(DreamBenchFolder.Open(folder.File("good")), judge);
        DreamBenchScores shuffled = await DreamBenchJudging.JudgeAsync(
            DreamBenchFolder.Open(folder.File("shuffled")), new ScoreJudge(_evaluator, new ScoreJudgeOptions { Repeats = 1 }));

        Assert.InRange(good.ConceptPreservation!.Mean, 0.9, 1);
        Assert.InRange(good.PromptFollowing!.Mean, 0.9, 1);
        Assert.InRange(good.Product!.Value, 0.85, 1);
        Assert.True(shuffled.Product < 0.5, $"{shuffled.Product}");
        Assert.Equal([DreamBenchCategory.Animal, DreamBenchCategory.Object, DreamBenchCategory.Style], good.ByCategory.Keys.Order());
        Assert.Equal([DreamBenchPrompts.Photorealistic, DreamBenchPrompts.StyleTransfer, DreamBenchPrompts.Imaginative], good.ByPrompts.Keys.Order());
        Assert.Empty(good.Failures);
        Assert.Equal(2 * 27 * 3, good.Scores.Count);
    }

    [Theory]
    [InlineData(ContextBenchmark.OmniContext)]
    [InlineData(ContextBenchmark.OSBench)]
    public async Task ContextBenchmarks_OfTheWorld_GetFullScores_AndAnotherSubjectLess(ContextBenchmark benchmark)
    {
        using TemporaryFolder folder = new();
        string File(string name, Picture picture)
        {
            picture.Save(folder.File(name));
            return folder.File(name);
        }
        List<ContextItem> items = [];
        for (int i = 0; i < 10; i++)
        {
            (Subject subject, Context context) = (Sample(), WorldSampler.SampleContext(_random));
            Picture truth = Renderer.Draw(subject, context);
            Picture generated = Renderer.Draw(i % 2 == 0 ? subject : Sample(), context with { Variant = 1 });
            items.Add(new ContextItem(
                $"{i}", i % 2 == 0 ? "kept" : "lost", Captions.Edit(context, _random.NextBits()).Text, "en", [File($"{i}r.png", Draw(subject))],
                File($"{i}g.png", generated), File($"{i}t.png", truth)));
        }
        ContextScores scores = await ContextScores.JudgeAsync(items, benchmark, new ScoreJudge(_evaluator, new ScoreJudgeOptions { Repeats = 1 }));

        Assert.Empty(scores.Failures);
        Assert.InRange(scores.ByTask["kept"].Overall, 9, 10);
        Assert.InRange(scores.ByTask["lost"].SubjectConsistency, 0, 6);
        Assert.InRange(scores.ByTask["lost"].PromptFollowing, 9, 10);
    }

    private Subject Sample() => WorldSampler.SampleSubject(_random, heldOut: true);

    private Picture Draw(Subject subject) => Renderer.Draw(subject, WorldSampler.SampleContext(_random));

    private async Task<int> Kept(ScoreJudge judge, Subject reference, Subject generated) =>
        (await judge.AskAsync(DreamBenchQuestions.ConceptPreservation("pair", () => Draw(reference), () => Draw(generated)))).Score!.Value;

    private static Task<JudgedScore> Followed(ScoreJudge judge, string prompt, Picture picture) =>
        judge.AskAsync(DreamBenchQuestions.PromptFollowing("picture", prompt, () => picture));

    private void Add(string folder, string id, int prompt, Subject reference, Subject generated, Context asked, Context drawn)
    {
        foreach (string part in new[] { "src_image", "tgt_image", "text" })
        {
            Directory.CreateDirectory(Path.Combine(folder, part, id));
        }
        File.WriteAllBytes(Path.Combine(folder, "src_image", id, $"{prompt}_0.jpg"), Draw(reference).EncodeJpeg(95));
        File.WriteAllBytes(Path.Combine(folder, "tgt_image", id, $"{prompt}_0.jpg"), Renderer.Draw(generated, drawn).EncodeJpeg(95));
        File.WriteAllText(Path.Combine(folder, "text", id, $"{prompt}_0.txt"), Captions.Edit(asked, _random.NextBits()).Text);
    }
}
