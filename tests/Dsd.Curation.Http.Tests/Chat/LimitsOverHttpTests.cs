using System.Diagnostics;
using System.Globalization;
using Dsd.Curation.Chat;
using Dsd.Tools.Serving;

namespace Dsd.Curation.Http.Tests.Chat;

public class LimitsOverHttpTests
{
    /// <summary>A wait that no test sits out, and so long that a busy machine does in half of it what must not have waited.</summary>
    private static readonly TimeSpan Break = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Passing =>
        [
            "408", "429", "500", "502", "503", "cut", "half", "", "{\"choices\": [{\"mess",
            "{\"error\": {\"message\": \"busy\", \"code\": 503}}", "{\"error\": {\"message\": \"busy\", \"code\": \"429\"}}",
        ];

    public static TheoryData<string> NotUnderstood =>
        [
            "{}", "[]", "null", "true", "{\"choices\": []}", "{\"choices\": {}}", "{\"choices\": [{}]}", "{\"choices\": [7]}",
            "{\"choices\": [{\"message\": {\"content\": 7}}]}", "{\"error\": {\"message\": \"busy\"}}", "<html>", "well",
        ];

    [Theory]
    [MemberData(nameof(NotUnderstood))]
    public async Task Body_ThatIsNotUnderstood_IsAskedForOnceMoreAndNoMore(string body)
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number == 1 ? null : Fault(body));
        using LimitedChatClient client = Asking.Client(server);

        Assert.Null((await Asking.AskManyAsync(client, 1))[0]);
        Assert.Equal(2, server.Asked);
        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);
        Assert.Equal((4, false, false), (server.Asked, failure.MayPass, failure.ConcernsAll));
        Assert.Contains(server.Address.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            body, failure.Message.Replace(" ", "", StringComparison.Ordinal).Replace(":", ": ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_ThatAreNotUnderstood_AreNoOutageOfTheServer()
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number < 40 ? Fault("{}") : null);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { BreakFor = Break });

        Assert.All(await Asking.AskManyAsync(client, 20), e => Assert.IsType<ChatFailedException>(e));
        long start = Stopwatch.GetTimestamp();
        Assert.All(await Asking.AskManyAsync(client, 20), Assert.Null);

        Assert.True(Stopwatch.GetElapsedTime(start) < Break / 2, "The requests were held back.");
    }

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task Request_ThatFailsInAWayThatPasses_IsRepeatedUntilItGetsThrough(string fault)
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number >= 2 ? null : Fault(fault));
        using LimitedChatClient client = Asking.Client(server);

        Assert.Null((await Asking.AskManyAsync(client, 1))[0]);
        Assert.Equal(3, server.Asked);
    }

    [Theory]
    [InlineData("400", false)]
    [InlineData("401", false)]
    [InlineData("404", false)]
    [InlineData("307", false)]
    [InlineData("503", true)]
    [InlineData("{\"choices\": [{\"mess", true)]
    public async Task Request_ThatFailsForGood_SaysWhyAndWhetherItMayPass(string fault, bool mayPass)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => Fault(fault));
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Retries = 2 });

        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);

        Assert.Equal(mayPass, failure.MayPass);
        Assert.Equal(mayPass ? 3 : 1, server.Asked);
        Assert.Contains(int.TryParse(fault, out _) ? $"status {fault}" : "breaks off", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EmptyAccount_IsNotAskedAgain()
    {
        await using ChatServer server = await Asking.ServerAsync(_ => new ChatFault.Status(429, "You exceeded your current quota: insufficient_quota"));
        using LimitedChatClient client = Asking.Client(server);

        Assert.False(Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]).MayPass);
        Assert.Equal(1, server.Asked);
    }

    [Fact]
    public async Task Hang_EndsByTheTimeoutAndIsRepeated()
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number < 2 ? new ChatFault.Hang() : null);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Timeout = TimeSpan.FromSeconds(0.3) });

        long start = Stopwatch.GetTimestamp();
        Assert.Null((await Asking.AskManyAsync(client, 1))[0]);

        // Two time-outs of 0.3 seconds; a single one of the other tests' would be longer than the upper bound.
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.6, Asking.Quick.Timeout.TotalSeconds);
        Assert.Equal(3, server.Asked);
    }

    [Fact]
    public async Task EndlessAnswer_IsRefusedAtItsBoundAndNotAskedForAgain()
    {
        string endless = new('x', 9 * 1024 * 1024);
        await using ChatServer server = await Asking.ServerAsync(_ => new ChatFault.Body(endless));
        using LimitedChatClient client = Asking.Client(server);

        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);

        Assert.Contains("8388608 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Asked);
    }

    [Theory]
    [InlineData("Retry-After", "1")]
    [InlineData("Retry-After", "date")]
    [InlineData("retry-after-ms", "700")]
    public async Task RetryAfter_IsWaitedForByAllRequestsOfTheClient(string header, string value)
    {
        // A date has whole seconds, so two ahead are one and a bit at least.
        string sent() => value == "date" ? DateTimeOffset.UtcNow.AddSeconds(2).ToString("R", CultureInfo.InvariantCulture) : value;
        await using ChatServer server = await Asking.ServerAsync(q => q.Number == 0 ? new ChatFault.Status(429, "slow down", header, sent()) : null);
        using LimitedChatClient client = Asking.Client(server);

        Task<IReadOnlyList<Exception?>> first = Asking.AskManyAsync(client, 1);
        await Until(() => server.Asked == 1 && server.UnderWay == 0);
        await Task.Delay(500);
        Assert.All(await Asking.AskManyAsync(client, 5), Assert.Null);
        Assert.Null((await first)[0]);

        ChatQuestion[] asked = [.. server.Questions.OrderBy(q => q.Number)];
        Assert.Equal(7, asked.Length);
        Assert.All(asked[1..], q => Assert.InRange(Stopwatch.GetElapsedTime(asked[0].At, q.At).TotalSeconds, value == "700" ? 0.69 : 0.95, 30));
    }

    [Fact]
    public async Task RetryAfter_LongerThanTheLongestWait_IsCutToIt()
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number == 0 ? new ChatFault.Status(503, "later", "Retry-After", "3600") : null);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { LongestWait = TimeSpan.FromSeconds(0.3) });

        long start = Stopwatch.GetTimestamp();
        Assert.Null((await Asking.AskManyAsync(client, 1))[0]);

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.3, 60);
    }

    [Fact]
    public async Task Concurrency_AtTheServer_ReachesTheLimitAndNeverExceedsIt()
    {
        await using ChatServer server = await Asking.ServerAsync(latency: TimeSpan.FromMilliseconds(40));
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Concurrency = 7 });

        Assert.All(await Asking.AskManyAsync(client, 70), Assert.Null);

        Assert.Equal(7, server.MostAtOnce);
    }

    [Fact]
    public async Task WaitForARepeat_HoldsNoPlaceOfThoseUnderWay()
    {
        // The first request would wait minutes for its repeat; with a single place the others would stand behind it.
        TimeSpan wait = TimeSpan.FromMinutes(30);
        await using ChatServer server = await Asking.ServerAsync(q => q.Number == 0 ? new ChatFault.Status(500) : null);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Concurrency = 1, Backoff = wait, LongestWait = wait });
        using CancellationTokenSource stop = new();

        Task<IReadOnlyList<Exception?>> first = Asking.AskManyAsync(client, 1, stop.Token);
        await Until(() => server.Asked == 1);
        Assert.All(await Asking.AskManyAsync(client, 5), Assert.Null);

        Assert.False(first.IsCompleted);
        await stop.CancelAsync();
        Assert.IsAssignableFrom<OperationCanceledException>((await first)[0]);
    }

    [Fact]
    public async Task RequestsPerMinute_HoldAndAreSpreadEvenly()
    {
        await using ChatServer server = await Asking.ServerAsync();
        long start = Stopwatch.GetTimestamp();
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { RequestsPerMinute = 600 });

        Assert.All(await Asking.AskManyAsync(client, 16), Assert.Null);

        // A request comes a tenth of a second after the one before at the earliest: a busy machine makes it later, and several that were sent
        // in time may then arrive together, but none arrives before its time (less what clocks round away).
        double[] at = [.. server.Questions.Select(q => Stopwatch.GetElapsedTime(start, q.At).TotalSeconds).Order()];
        Assert.Equal(16, at.Length);
        Assert.All(at.Select((seconds, i) => (seconds, i)), sent => Assert.InRange(sent.seconds, (0.1 * sent.i) - 0.05, 60));
    }

    [Fact]
    public async Task Outage_LosesNoRequestAlthoughItLastsLongerThanTheRepeats()
    {
        // Ten repeats of five milliseconds are over long before the server comes back after 1.5 seconds; one request alone cannot use up
        // its own before the tenth failure, which tells.
        long start = Stopwatch.GetTimestamp();
        await using ChatServer server = await Asking.ServerAsync(_ => Stopwatch.GetElapsedTime(start).TotalSeconds < 1.5 ? new ChatFault.Status(502) : null);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Retries = 10, LongestWait = TimeSpan.FromMilliseconds(5) });

        Assert.All(await Asking.AskManyAsync(client, 40), Assert.Null);

        // While it was away it was left alone but for trials: 40 requests with 10 repeats would have been 440 failures.
        Assert.InRange(server.Asked, 41, 120);
    }

    [Fact]
    public async Task Outage_LongerThanThePatience_FailsAllAndThenAtOnce()
    {
        await using ChatServer server = await Asking.ServerAsync(_ => new ChatFault.Status(502, "the model is loading"));
        using LimitedChatClient client =
            Asking.Client(server, Asking.Quick with { Retries = 3, Patience = TimeSpan.FromSeconds(1), BreakFor = TimeSpan.FromSeconds(5) });

        Assert.All(await Asking.AskManyAsync(client, 40), e => Assert.True(Assert.IsType<ChatFailedException>(e).MayPass));
        await Task.Delay(1000);
        int asked = server.Asked;
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<Exception?> later = await Asking.AskManyAsync(client, 10);

        Assert.All(later, e => Assert.Contains("status 502", Assert.IsType<ChatFailedException>(e).Message, StringComparison.Ordinal));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(4), "They waited for the next trial.");
        Assert.InRange(server.Asked - asked, 0, 1);
    }

    [Fact]
    public async Task Budget_OfCalls_StopsAtExactlyThatNumberWithRepeatsCounted()
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number % 3 == 0 ? new ChatFault.Status(500) : null);
        ChatBudget budget = new() { MaxCalls = 25, Elsewhere = (5, 0) };
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Budget = budget });

        IReadOnlyList<Exception?> ends = await Asking.AskManyAsync(client, 60);

        Assert.Equal(20, server.Asked);
        Assert.Equal(20, budget.Calls);
        Assert.Equal(13, ends.Count(e => e is null));
        Assert.All(ends, e => Assert.True(e is null or ChatBudgetException, e?.ToString()));
    }

    [Fact]
    public async Task Budget_OfTokens_StopsOnceTheyAreUsed()
    {
        await using ChatServer server = await Asking.ServerAsync();
        ChatBudget budget = new() { MaxTokens = 200 };
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Concurrency = 1, Budget = budget });

        IReadOnlyList<Exception?> ends = await Asking.AskManyAsync(client, 30);

        long each = budget.Tokens / server.Asked;
        Assert.InRange(each, 20, 60);
        Assert.InRange(budget.Tokens, 200, 200 + each);
        Assert.Equal(server.Asked, ends.Count(e => e is null));
    }

    [Fact]
    public async Task Cancellation_EndsAllRequestsPromptlyAndIsNoFailureOfTheServer()
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number < 16 ? new ChatFault.Hang() : null);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Timeout = Break, BreakFor = Break });
        using CancellationTokenSource stop = new();

        Task<IReadOnlyList<Exception?>> all = Asking.AskManyAsync(client, 64, stop.Token);
        await Until(() => server.UnderWay == 16);
        long start = Stopwatch.GetTimestamp();
        await stop.CancelAsync();

        Assert.All(await all, e => Assert.IsAssignableFrom<OperationCanceledException>(e));
        Assert.True(Stopwatch.GetElapsedTime(start) < Break / 2, "They waited for their answers.");
        await Until(() => server.UnderWay == 0);
        // The breaker has not taken them for failures.
        start = Stopwatch.GetTimestamp();
        Assert.Null((await Asking.AskManyAsync(client, 1))[0]);
        Assert.True(Stopwatch.GetElapsedTime(start) < Break / 2, "The breaker holds requests back.");
    }

    internal static async Task Until(Func<bool> condition)
    {
        for (long start = Stopwatch.GetTimestamp(); !condition() && Stopwatch.GetElapsedTime(start) < Break;)
        {
            await Task.Delay(10);
        }
        Assert.True(condition(), $"It did not come to that within {Break.TotalSeconds} seconds.");
    }

    private static ChatFault Fault(string name) => name switch
    {
        "cut" => new ChatFault.Cut(),
        "half" => new ChatFault.Half(),
        "307" => new ChatFault.Status(307, "moved", "Location", "http://192.0.2.1/v1"),
        _ => int.TryParse(name, out int code) ? new ChatFault.Status(code) : new ChatFault.Body(name),
    };
}
