using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Curation.Tests;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Evaluation.Tests.Judged;

public sealed class ScoreJudgeTests
{
    private static readonly ScoreQuestion Question = Of("a", "how alike?");

    [Fact]
    public async Task AnAnswerThatCannotBeRead_IsAskedForOnceMore_WithTheError()
    {
        CallbackChatClient client = new("About three.", "Score: 3");
        JudgedScore score = await new ScoreJudge(client).AskAsync(Question);

        Assert.Equal((3, 2), (score.Score, score.Attempts));
        Assert.Equal("About three.", client.Calls[1].Messages[^2].Text);
        Assert.Contains("no 'Score:'", client.Calls[1].Messages[^1].Text, StringComparison.Ordinal);
        Assert.Contains("Score: N", client.Calls[1].Messages[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AsAMetric_RepeatsAreAveraged_AndAPictureWithoutAnAnswerHasNoScore()
    {
        // The first picture's three repeats, then the second's, each asked twice.
        CallbackChatClient client = new("Score: 4", "Score: 3", "Score: 2", "?", "?", "?", "?", "?", "?");
        JudgedMetric metric = JudgedMetric.Of(MetricNames.ConceptPreservation, new ScoreJudge(client, new ScoreJudgeOptions { Concurrency = 1 }));
        Picture picture = new(8, 8, new byte[192]);
        MetricItem[] items = [.. new[] { "one", "two" }.Select(name => new MetricItem(name, null, name, picture, picture, null))];

        Assert.Equal([0.75, null], await metric.ComputeAsync(items));
        Assert.Equal(9, client.Calls.Count);
        JudgedMetric several = JudgedMetric.Of(MetricNames.ConceptPreservation, new ScoreJudge(client, new() { Name = "one" }), namesJudge: true);
        Assert.Equal(("cp:one", "dreambench-cp", "one"), (several.Name, several.Question, several.Judge));
        Assert.NotEqual(metric.Fingerprint, JudgedMetric.Of(MetricNames.ConceptPreservation, new ScoreJudge(client), dependsOn: "another model").Fingerprint);
    }

    [Fact]
    public async Task ASecondSuchAnswer_GivesNoScore_AndTheReason()
    {
        JudgedScore score = await new ScoreJudge(new CallbackChatClient("About three.")).AskAsync(Question);

        Assert.Null(score.Score);
        Assert.Equal(2, score.Attempts);
        Assert.Contains("About three.", score.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutChatOptions_TheTemperatureIsOne_AndEachRepeatHasASeedOfItsOwn()
    {
        CallbackChatClient client = new("Score: 3");
        ScoreJudge judge = new(client);
        await judge.AskAsync(Question);
        await judge.AskAsync(Question, 1);
        await judge.AskAsync(Question);

        Assert.All(client.Calls, call => Assert.Equal(1, call.Options!.Temperature));
        Assert.NotEqual(client.Calls[0].Options!.Seed, client.Calls[1].Options!.Seed);
        Assert.Equal(client.Calls[0].Options!.Seed, client.Calls[2].Options!.Seed);
    }

    [Fact]
    public async Task AStoredScore_IsNotAskedForAgain_UnlessTheQuestionIsAnother()
    {
        MemoryScores store = new();
        CallbackChatClient client = new("Score: 3");
        ScoreJudge judge = new(client, new ScoreJudgeOptions { Store = store });
        await judge.AskAsync(Question);
        await judge.AskAsync(Question);
        Assert.Single(client.Calls);

        await judge.AskAsync(Of("a", "how alike, really?"));
        await judge.AskAsync(Question, 1);
        Assert.Equal(3, client.Calls.Count);
        Assert.Equal(2, store.Scores.Count);
    }

    [Fact]
    public async Task WhatHasNoScore_IsAskedAgainByTheNextRun()
    {
        MemoryScores store = new();
        ScoreJudgeOptions options = new() { Store = store };
        await new ScoreJudge(new CallbackChatClient("?"), options).AskAsync(Question);
        Assert.Null(store.Scores.Values.Single().Score);

        Assert.Equal(2, (await new ScoreJudge(new CallbackChatClient("Score: 2"), options).AskAsync(Question)).Score);
        Assert.Equal(2, store.Scores.Values.Single().Score);
    }

    [Fact]
    public async Task ARequestThatFails_GivesNoScore_AndTheOthersGoOn()
    {
        CallbackChatClient client = new((_, messages, _) =>
            messages[0].Text == "b" ? throw new ChatFailedException("status 500", mayPass: true) : Task.FromResult("Score: 1"));
        JudgedScore[] scores = await Ask(new ScoreJudge(client, new ScoreJudgeOptions { Repeats = 2 }), "a", "b", "c");

        Assert.Equal([1, 1, null, null, 1, 1], scores.Select(s => s.Score));
        Assert.All(scores.Where(s => s.Item == "b"), s => Assert.Equal("status 500", s.Reason));
        Assert.Equal([0, 1, 0, 1, 0, 1], scores.Select(s => s.Repeat));
    }

    [Fact]
    public async Task AFailureOfAll_AndTooManyInARow_EndTheWork()
    {
        ScoreJudgeOptions options = new() { Repeats = 1, MostFailures = 3, Concurrency = 1 };
        CallbackChatClient key = new((_, _, _) => throw new ChatFailedException("status 401", mayPass: false, concernsAll: true));
        CallbackChatClient down = new((_, _, _) => throw new ChatFailedException("status 500", mayPass: true));

        ChatFailedException refused = await Assert.ThrowsAsync<ChatFailedException>(() => Ask(new ScoreJudge(key, options), "a", "b"));
        Assert.Contains("401", refused.Message, StringComparison.Ordinal);
        Assert.Single(key.Calls);
        await Assert.ThrowsAsync<ChatFailedException>(() => Ask(new ScoreJudge(down, options), "a", "b", "c", "d", "e"));
        Assert.Equal(3, down.Calls.Count);
    }

    [Fact]
    public async Task ASpentBudget_EndsTheWork_AndTheNextRunGoesOnFromTheStore()
    {
        MemoryScores store = new();
        ScoreJudgeOptions options = new() { Repeats = 1, Concurrency = 1, Store = store };
        CallbackChatClient first = new("Score: 1");
        using (LimitedChatClient limited = new(first, new ChatLimits { Budget = new ChatBudget { MaxCalls = 2 } }))
        {
            await Assert.ThrowsAsync<ChatBudgetException>(() => Ask(new ScoreJudge(limited, options), "a", "b", "c", "d"));
        }
        CallbackChatClient second = new("Score: 2");
        JudgedScore[] scores = await Ask(new ScoreJudge(second, options), "a", "b", "c", "d");

        Assert.Equal([1, 1, 2, 2], scores.Select(s => s.Score));
        Assert.Equal((2, 2), (first.Calls.Count, second.Calls.Count));
    }

    [Fact]
    public async Task WhatIsUnderWayWhenTheBudgetIsSpent_IsLetEnd_AndIsStored()
    {
        MemoryScores store = new();
        TaskCompletionSource spent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        CallbackChatClient slow = new(async (_, _, cancel) =>
        {
            await spent.Task.WaitAsync(TimeSpan.FromSeconds(30), cancel);
            await Task.Delay(50, cancel);
            return "Score: 1";
        });
        using LimitedChatClient limited = new(new Spending(slow, 2, spent));
        await Assert.ThrowsAsync<ChatBudgetException>(
            () => Ask(new ScoreJudge(limited, new ScoreJudgeOptions { Repeats = 1, Concurrency = 3, Store = store }), "a", "b", "c", "d"));

        Assert.Equal(2, store.Scores.Count);
    }

    [Fact]
    public void Summary_IsTheMeanOfTheRepeatsMeans_AndLeavesOutWhatHasNoScore()
    {
        // Repeats: (4 + 2) / 2 / 4 = 0.75, 4 / 4 = 1, (3 + 3) / 2 / 4 = 0.75; deviation by hand: sqrt((2 · (1/12)² + (1/6)²) / 2).
        RepeatSummary summary = RepeatSummary.Of(
            [Given("a", 0, 4), Given("b", 0, 2), Given("a", 1, 4), Given("b", 1, null), Given("a", 2, 3), Given("b", 2, 3)], 4)!;

        Assert.Equal([0.75, 1, 0.75], summary.Repeats);
        Assert.Equal(2.5 / 3, summary.Mean, 12);
        Assert.Equal(0.144337567297, summary.Deviation!.Value, 10);
        Assert.Equal(2, summary.Items);
        Assert.Null(RepeatSummary.Of([Given("a", 0, null)], 4));
        Assert.Null(RepeatSummary.Of([Given("a", 0, 1)], 4)!.Deviation);
    }

    // Has so many calls, and says when one too many was asked for.
    private sealed class Spending(IChatClient inner, int calls, TaskCompletionSource spent) : DelegatingChatClient(inner)
    {
        private int _calls;

        public override Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            if (Interlocked.Increment(ref _calls) > calls)
            {
                spent.TrySetResult();
                throw new ChatBudgetException("spent");
            }
            return base.GetResponseAsync(messages, options, cancellationToken);
        }
    }

    private static JudgedScore Given(string item, int repeat, int? score) =>
        new() { Item = item, Metric = "m", Repeat = repeat, Judge = "j", Question = "", Reason = "", Score = score };

    private static ScoreQuestion Of(string item, string text) =>
        new() { Item = item, Metric = "m", Form = ScoreForm.Line(4), Messages = () => [new ChatMessage(ChatRole.User, text)] };

    private static async Task<JudgedScore[]> Ask(ScoreJudge judge, params string[] items)
    {
        List<JudgedScore> scores = [];
        await foreach (JudgedScore score in judge.AskManyAsync(items.Select(i => Of(i, i))))
        {
            scores.Add(score);
        }
        return [.. scores];
    }
}
