using Dsd.Curation.Tests;
using Dsd.Evaluation.Benchmarks.InContext;
using Dsd.Evaluation.Evaluators;
using Dsd.Evaluation.Judged;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Dsd.Evaluation.Tests.Evaluators;

public sealed class EvaluatorTests
{
    private static readonly DataContent Reference = Png((200, 0, 0));
    private static readonly ChatResponse Response = new(new ChatMessage(ChatRole.Assistant, [new TextContent("Here."), Png((0, 0, 200))]));
    private static readonly ChatMessage[] Asked = [new(ChatRole.User, "earlier"), new(ChatRole.User, [new TextContent("a cat in the snow"), Reference])];

    [Fact]
    public async Task ConceptPreservation_IsTheMeanOfTheRepeats_WithARating()
    {
        CallbackChatClient client = new("Score: 4", "Score: 2", "Score: 3");
        EvaluationResult result = await new ConceptPreservationEvaluator(new ScoreJudgeOptions { Concurrency = 1 })
            .EvaluateAsync(Asked, Response, new ChatConfiguration(client));

        NumericMetric metric = result.Get<NumericMetric>(ConceptPreservationEvaluator.MetricName);
        Assert.Equal(0.75, metric.Value);
        Assert.Equal((EvaluationRating.Good, false), (metric.Interpretation!.Rating, metric.Interpretation.Failed));
        Assert.Equal("4, 2, 3", metric.Metadata!["scores"]);
        Assert.Equal(2, client.Calls[0].Messages[2].Contents.OfType<DataContent>().Count());
    }

    [Fact]
    public async Task PromptFollowing_ShowsThePrompt_AndSaysWhyThereIsNoScore()
    {
        CallbackChatClient client = new("Hm.");
        EvaluationResult result = await new PromptFollowingEvaluator(new ScoreJudgeOptions { Repeats = 1 })
            .EvaluateAsync(Asked, Response, new ChatConfiguration(client));

        NumericMetric metric = result.Get<NumericMetric>(PromptFollowingEvaluator.MetricName);
        Assert.Null(metric.Value);
        Assert.Equal((EvaluationRating.Inconclusive, true), (metric.Interpretation!.Rating, metric.Interpretation.Failed));
        Assert.Contains("Hm.", Assert.Single(metric.Diagnostics!).Message, StringComparison.Ordinal);
        Assert.Equal("a cat in the snow", client.Calls[0].Messages[2].Text);
    }

    [Fact]
    public async Task InContext_GivesBothScores_AndTheRoot()
    {
        EvaluationResult result = await new InContextEvaluator(ContextBenchmark.OSBench, options: new ScoreJudgeOptions { Repeats = 1 }).EvaluateAsync(
            Asked, Response, new ChatConfiguration(new ByName()), [new TruePictureContext(Png((0, 200, 0)))]);

        Assert.Equal(0.4, result.Get<NumericMetric>(InContextEvaluator.PromptFollowingName).Value);
        Assert.Equal(0.9, result.Get<NumericMetric>(InContextEvaluator.SubjectConsistencyName).Value);
        Assert.Equal(0.6, result.Get<NumericMetric>(InContextEvaluator.OverallName).Value);
    }

    [Fact]
    public async Task WhatIsMissing_IsNamed()
    {
        ChatConfiguration judge = new(new CallbackChatClient("Score: 1"));
        Task<ArgumentException> Fails(IEvaluator evaluator, ChatMessage asked, ChatResponse response) =>
            Assert.ThrowsAsync<ArgumentException>(() => evaluator.EvaluateAsync([asked], response, judge).AsTask());

        Assert.Contains("reference", (await Fails(new ConceptPreservationEvaluator(), new(ChatRole.User, "text"), Response)).Message, StringComparison.Ordinal);
        Assert.Contains("prompt", (await Fails(new PromptFollowingEvaluator(), new(ChatRole.User, [Reference]), Response)).Message, StringComparison.Ordinal);
        ChatResponse empty = new(new ChatMessage(ChatRole.Assistant, "no"));
        Assert.Contains("generated", (await Fails(new PromptFollowingEvaluator(), Asked[1], empty)).Message, StringComparison.Ordinal);
        Assert.Contains("true picture", (await Fails(new InContextEvaluator(ContextBenchmark.OSBench), Asked[1], Response)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentNullException>(() => new PromptFollowingEvaluator().EvaluateAsync(Asked, Response).AsTask());
    }

    [Fact]
    public async Task ACacheAroundTheJudge_Serves_ForEachRepeat()
    {
        CallbackChatClient client = new("Score: 4", "Score: 2", "Score: 3", "Score: 0");
        using DistributedCachingChatClient cached = new(client, new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions())));
        IEvaluator evaluator = new CompositeEvaluator(new ConceptPreservationEvaluator(new ScoreJudgeOptions { Concurrency = 1 }));
        for (int i = 0; i < 2; i++)
        {
            EvaluationResult result = await evaluator.EvaluateAsync(Asked, Response, new ChatConfiguration(cached));
            Assert.Equal(0.75, result.Get<NumericMetric>(ConceptPreservationEvaluator.MetricName).Value);
        }

        Assert.Equal(3, client.Calls.Count);
    }

    private static DataContent Png((byte, byte, byte) colour) => new(TestPictures.Plain(20, 20, colour).EncodePng(), "image/png");

    // Answers by what the schema is called.
    private sealed class ByName : DelegatingChatClient
    {
        public ByName()
            : base(new CallbackChatClient(""))
        {
        }

        public override Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => Task.FromResult(new ChatResponse(
            new ChatMessage(ChatRole.Assistant, ((ChatResponseFormatJson)options!.ResponseFormat!).SchemaName == "prompt_following"
                ? """{"score": 4, "reasoning": "half"}"""
                : """{"score": 9, "reasoning": "nearly"}""")));
    }
}
