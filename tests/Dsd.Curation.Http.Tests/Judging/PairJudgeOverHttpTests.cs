using System.Collections.Concurrent;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tools.Serving;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Http.Tests.Judging;

public sealed class PairJudgeOverHttpTests(WorldPairs world) : IClassFixture<WorldPairs>
{
    private static readonly PairJudgeOptions Options = new() { Threshold = 0.6, Concurrency = 16 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task RandomFaults_ChangeNoVerdictAndLoseAndDoubleNone(int seed)
    {
        // Every fourth question meets one. Each hang lasts until the timeout, so there are few.
        Random random = new(seed);
        Lock gate = new();
        ConcurrentDictionary<string, int> met = new();
        ChatFault[] faults =
        [
            new ChatFault.Status(429, "slow down", "retry-after-ms", "5"), new ChatFault.Status(500), new ChatFault.Status(503, "busy", "Retry-After", "0"),
            new ChatFault.Hang(), new ChatFault.Cut(), new ChatFault.Half(),
            new ChatFault.Body(""), new ChatFault.Body("{\"choices\": [{\"mess"), new ChatFault.Slow(TimeSpan.FromMilliseconds(30)),
        ];
        await using ChatServer server = await ChatServer.StartAsync(new ChatServerOptions
        {
            Answer = Verdicts.Of(world.Judge),
            Fault = _ =>
            {
                lock (gate)
                {
                    ChatFault? fault = random.Next(4) == 0 ? faults[random.Next(faults.Length)] : null;
                    fault = fault is ChatFault.Hang && met.GetValueOrDefault("Hang") == 2 ? null : fault;
                    met.AddOrUpdate(fault?.GetType().Name ?? "none", 1, (_, n) => n + 1);
                    return fault;
                }
            },
            Latency = TimeSpan.FromMilliseconds(5),
        });
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Timeout = TimeSpan.FromSeconds(3) });
        PairJudge judge = new(client, Options);

        PairJudgement[] judged = await Task.WhenAll(world.Pairs.Select(pair => judge.JudgeAsync(pair.A, pair.B)));

        AssertAsWithoutFaults(judged);
        Assert.Equal(7, met.Count);
        Assert.Equal(server.Asked, met.Values.Sum());
    }

    [Theory]
    [InlineData("no JSON at all")]
    [InlineData("""{"same": true, "confidence": 1}""")]
    public async Task UnreadableAnswer_IsAskedForAgainWithTheErrorAndThenRight(string wrong)
    {
        await using ChatServer server = await ChatServer.StartAsync(new ChatServerOptions
        {
            Answer = Verdicts.Of(world.Judge),
            Fault = q => q.Texts("assistant").Count == 0 ? new ChatFault.Answer(wrong) : null,
        });
        using LimitedChatClient client = Asking.Client(server);

        List<PairJudgement> judged = await ListAsync(new PairJudge(client, Options).JudgeManyAsync(world.Pairs.Take(20)));

        AssertAsWithoutFaults(judged);
        Assert.All(judged, j => Assert.Equal(2, j.Attempts));
        Assert.Contains(server.Questions, q => q.Texts("user")[^1].Contains("could not be read", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no JSON at all")]
    [InlineData("[]")]
    [InlineData("""{"same": true, "confidence": 1}""")]
    public async Task UnreadableAnswers_TwiceInARow_AreUndecidedAndCostTwoCalls(string wrong)
    {
        await using ChatServer server = await Asking.ServerAsync(answer: _ => wrong);
        using LimitedChatClient client = Asking.Client(server);

        PairJudgement judged = await new PairJudge(client, Options).JudgeAsync(world.Pairs[0].A, world.Pairs[0].B);

        Assert.Equal(VerdictStatus.Undecided, judged.Status);
        Assert.False(judged.Kept);
        Assert.Equal(2, judged.Attempts);
        Assert.Equal(2, server.Asked);
        Assert.True(judged.Votes[0].InputTokens > 500);
    }

    [Fact]
    public async Task ServerWithoutSchemas_IsAskedInWordsAndJudgesAll()
    {
        await using ChatServer server = await ChatServer.StartAsync(new ChatServerOptions
        {
            Answer = Verdicts.Of(world.Judge),
            Fault = q => q.Body.TryGetProperty("response_format", out _) ? new ChatFault.Status(400, "response_format is not supported") : null,
        });
        using LimitedChatClient client = Asking.Client(server, endpoint: new ChatEndpoint(server.Address, "old") { AnswerForm = AnswerForm.Words });

        AssertAsWithoutFaults(await ListAsync(new PairJudge(client, Options).JudgeManyAsync(world.Pairs.Take(10))));
        Assert.All(server.Questions, q => Assert.Contains("description_a", q.Texts("system")[0], StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(PictureFormat.Png, 64, "image/png", 64, 32)]
    [InlineData(PictureFormat.Png, 300, "image/png", 200, 100)]
    [InlineData(PictureFormat.Jpeg, 100, "image/jpeg", 100, 50)]
    public async Task Pictures_ArriveInTheChosenSizeAndFormat(PictureFormat format, int side, string type, int width, int height)
    {
        await using ChatServer server = await Asking.ServerAsync();
        using LimitedChatClient client = Asking.Client(server);
        Picture sent = Pngs.Noisy(200, 100);

        await new PairJudge(client, new PairJudgeOptions { Format = format, MaxImageSide = side }).JudgeAsync(sent, world.Pairs[0].A);

        DataContent[] arrived = [.. Assert.Single(server.Questions).Pictures];
        Assert.Equal(2, arrived.Length);
        Assert.All(arrived, p => Assert.Equal(type, p.MediaType));
        Picture first = Picture.Decode(arrived[0].Data.Span, "the first that arrived");
        Assert.Equal((width, height), (first.Width, first.Height));
        Assert.Equal(format == PictureFormat.Jpeg, arrived[0].Data.Span[..2].SequenceEqual(new byte[] { 0xFF, 0xD8 }));
        Assert.True(side < 200 || first.Pixels.SequenceEqual(sent.Pixels));
    }

    private void AssertAsWithoutFaults(IReadOnlyList<PairJudgement> judged)
    {
        for (int i = 0; i < judged.Count; i++)
        {
            Verdict expected = world.Verdicts[i];
            Assert.Equal(VerdictStatus.Decided, judged[i].Status);
            Assert.Equal(expected.Same && expected.Confidence >= Options.Threshold, judged[i].Kept);
            Assert.Equal(expected.ToJson(), judged[i].Verdict!.ToJson());
            Assert.Single(judged[i].Votes);
        }
    }

    private static async Task<List<PairJudgement>> ListAsync(IAsyncEnumerable<PairJudgement> judgements)
    {
        List<PairJudgement> all = [];
        await foreach (PairJudgement judgement in judgements)
        {
            all.Add(judgement);
        }
        return all;
    }
}
