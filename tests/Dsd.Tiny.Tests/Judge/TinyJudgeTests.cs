using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Tests.Judge;

[Collection("Torch's random numbers")]
public class TinyJudgeTests
{
    private static readonly Picture Creature = Renderer.Draw(new Subject(), new Context());
    private static readonly Picture Other = Renderer.Draw(
        new Subject { Shape = BodyShape.Star, Color = BodyColor.Yellow, Ears = Ears.Bunny }, new Context { Scene = Scene.Snow });

    [Theory]
    [InlineData(0.26, 0.26, true, 0.5)] // could be either
    [InlineData(0.01, 1, true, 1)]
    [InlineData(0.9, 1, true, 1)] // a strict threshold does not keep a certain verdict from being called certain
    [InlineData(0.26, 0, false, 1)]
    [InlineData(0.5, 0.8, true, 0.8)] // where either is as likely, the agreement itself
    [InlineData(0.2, 0.5, true, 0.8)] // odds of 1 against odds of 1/4
    [InlineData(0.8, 0.5, false, 0.8)]
    public void Confidence_ComparesTheOddsOfTheAgreementWithThoseOfTheThreshold(double threshold, double agreement, bool same, double expected) =>
        Assert.Equal(expected, TinyJudge.Confidence(agreement, threshold, same), 1e-9);

    [Fact]
    public async Task GetResponseAsync_AnswersInAFormThatPairJudgeReads()
    {
        using TinyJudge judge = new(TestJudge.Network());
        PairJudgement judgement = await new PairJudge(judge).JudgeAsync(Creature, Other);
        Assert.Equal((VerdictStatus.Decided, 1), (judgement.Status, judgement.Attempts));
        Assert.Equal(judge.Compare(Creature, Other).ToJson(), judgement.Verdict!.ToJson());
    }

    [Fact]
    public async Task GetStreamingResponseAsync_GivesTheSameAnswer()
    {
        using TinyJudge judge = new(TestJudge.Network());
        string text = "";
        await foreach (ChatResponseUpdate update in judge.GetStreamingResponseAsync([Question(Creature, Other)]))
        {
            text += update.Text;
        }
        Assert.Equal(judge.Compare(Creature, Other).ToJson(), text);
    }

    [Fact]
    public async Task GetResponseAsync_LooksBackToTheLastMessageWithImages()
    {
        using TinyJudge judge = new(TestJudge.Network());
        ChatResponse response = await judge.GetResponseAsync(
            [Question(Other, Other), Question(Creature, Other), new(ChatRole.Assistant, "?"), new(ChatRole.User, "Again, please.")]);
        Assert.Equal(judge.Compare(Creature, Other).ToJson(), response.Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task GetResponseAsync_RefusesAnyNumberOfImagesButTwo(int count)
    {
        using TinyJudge judge = new(TestJudge.Network());
        ArgumentException e = await Assert.ThrowsAsync<ArgumentException>(() => judge.GetResponseAsync([Question([.. Enumerable.Repeat(Creature, count)])]));
        Assert.Contains($"has {count}", e.Message);
    }

    [Fact]
    public async Task GetResponseAsync_NamesTheImageThatIsNone()
    {
        using TinyJudge judge = new(TestJudge.Network());
        ChatMessage question = new(ChatRole.User, [new DataContent(Creature.EncodePng(), "image/png"), new DataContent(new byte[] { 1, 2, 3 }, "image/png")]);
        Assert.Contains("image B", (await Assert.ThrowsAsync<PictureException>(() => judge.GetResponseAsync([question]))).Message);
    }

    [Fact]
    public async Task GetResponseAsync_HonoursCancellation()
    {
        using TinyJudge judge = new(TestJudge.Network());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => judge.GetResponseAsync([Question(Creature, Other)], null, new CancellationToken(true)));
    }

    [Fact]
    public void Compare_NeverFindsASubjectInABlankPicture()
    {
        using TinyJudge judge = new(TestJudge.Network(TestJudge.Small with { SameThreshold = 0.001, Temperature = 0.05 }));
        Verdict verdict = judge.Compare(new Picture(40, 40, new byte[4800]), new Picture(40, 40, new byte[4800]));
        Assert.False(verdict.Same);
        Assert.Contains("blank", verdict.Flags);
    }

    [Fact]
    public void Compare_FlagsACopy()
    {
        using TinyJudge judge = new(TestJudge.Network());
        Assert.Contains("near_copy", judge.Compare(Creature, Creature).Flags);
        Assert.DoesNotContain("near_copy", judge.Compare(Creature, Other).Flags);
    }

    [Fact]
    public void Compare_CallsTheSameOnlyWhatReachesTheThreshold()
    {
        // An untrained network at its sharpest is sure of everything; at its softest of nothing.
        using TinyJudge sharp = new(TestJudge.Network(TestJudge.Small with { Temperature = 0.05, SameThreshold = 0.001 }));
        using TinyJudge soft = new(TestJudge.Network(TestJudge.Small with { Temperature = 20, SameThreshold = 0.9 }));
        Assert.True(sharp.Compare(Creature, Creature).Same);
        Assert.False(soft.Compare(Creature, Creature).Same);
    }

    [Fact]
    public void Compare_NamesADoubtWhereNoDifferenceExplainsTheVerdict()
    {
        using TinyJudge soft = new(TestJudge.Network(TestJudge.Small with { Temperature = 20, SameThreshold = 0.9 }));
        Assert.Contains("may differ", Assert.Single(soft.Compare(Creature, Creature).Differences));
    }

    [Fact]
    public void Compare_GivesThreadsTheSameAnswers()
    {
        using TinyJudge judge = new(TestJudge.Network());
        string[] answers = new string[16];
        Parallel.For(0, answers.Length, i => answers[i] = judge.Compare(Creature, Other).ToJson());
        Assert.Single(answers.Distinct());
    }

    [Fact]
    public void Compare_RefusesAfterDispose()
    {
        TinyJudge judge = new(TestJudge.Network());
        judge.Dispose();
        judge.Dispose();
        Assert.Throws<ObjectDisposedException>(() => judge.Compare(Creature, Other));
    }

    [Fact]
    public void Load_OutlivesTheScopeItIsCalledIn()
    {
        using TemporaryFolder folder = new();
        Save(folder);
        TinyJudge judge;
        using (NewDisposeScope())
        {
            judge = TinyJudge.Load(folder.Path);
        }
        using (judge)
        {
            Assert.NotEmpty(judge.Compare(Creature, Other).DescriptionA);
        }
    }

    [Fact]
    public void Dispose_FreesEveryTensorOfTheJudge()
    {
        using TemporaryFolder folder = new();
        Save(folder);
        void Once()
        {
            using TinyJudge judge = TinyJudge.Load(folder.Path);
            judge.Compare(Creature, Other);
        }
        Once();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Once();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Load_NamesTheMissingWeights()
    {
        using TemporaryFolder folder = new();
        TestJudge.Small.Save(folder.File("config.json"));
        File.WriteAllBytes(folder.File("model.safetensors"), [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        Assert.Contains("stem.conv.weight", Assert.Throws<WeightsException>(() => TinyJudge.Load(folder.Path)).Message);
    }

    private static void Save(TemporaryFolder folder)
    {
        using JudgeNetwork network = TestJudge.Network();
        TestJudge.Small.Save(folder.File("config.json"));
        SafetensorsWriter.Write(folder.File("model.safetensors"), network.state_dict());
    }

    private static ChatMessage Question(params Picture[] pictures) =>
        new(ChatRole.User, [new TextContent("Do A and B show the very same subject?"), .. pictures.Select(p => new DataContent(p.EncodePng(), "image/png"))]);
}
