using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests;

/// <summary>Answers with thinking in front, and answers that are none.</summary>
public class AnswerTextTests
{
    private const string Good = Judging.VerdictFormatTests.Good;

    [Theory]
    [InlineData("<think>A is a fox, and B?</think>")]
    [InlineData("\n<think>\nline\nline {\"same\": true}\n</think>\n\n")]
    [InlineData("<THINK></THINK>")]
    [InlineData("A is a fox, so I am done.\n</think>\n\n")]
    public async Task Thinking_BeforeTheObject_IsTakenOut(string thinking)
    {
        PairJudgement judged = await JudgeAsync(Answer(thinking + Good));

        Assert.Equal((VerdictStatus.Decided, "a fox", 1), (judged.Status, judged.Verdict?.Subject, judged.Attempts));
    }

    [Fact]
    public async Task Thinking_LongerThanAnyAnswer_IsTakenOutFirst() =>
        Assert.Equal(VerdictStatus.Decided, (await JudgeAsync(Answer($"<think>{new string('x', 100_000)}</think>{Good}"))).Status);

    [Theory]
    [InlineData("<think>a</think><think>b</think>{0}")]
    [InlineData("Sure! <think>a</think>{0}")]
    [InlineData("<think>a</think>Sure! {0}")]
    [InlineData("{0}<think>a</think>")]
    [InlineData("<think>{0}")]
    [InlineData("<think>a</think>")]
    public async Task Thinking_Elsewhere_IsNoVerdict(string form) =>
        Assert.Equal(VerdictStatus.Undecided, (await JudgeAsync(Answer(form.Replace("{0}", Good.Trim(), StringComparison.Ordinal)))).Status);

    [Fact]
    public async Task TextsOfAVerdict_MaySpeakOfThinking() =>
        Assert.Equal("a </think> fox", (await JudgeAsync(Answer(Good.Replace("a fox", "a </think> fox", StringComparison.Ordinal)))).Verdict?.Subject);

    public static TheoryData<string, string[]> Causes => new()
    {
        { "refusal", ["refuses", "I cannot compare people."] },
        { "filter", ["content filter", "content_filter"] },
        { "length", ["limit of tokens", "'length'", "max_output_tokens"] },
        { "unclosed", ["thinking and nothing after it", "max_output_tokens"] },
        { "unclosed length", ["limit of tokens", "thinking"] },
        { "reasoning", ["thinking and nothing after it"] },
        { "empty", ["the answer is empty"] },
        { "blank", ["the answer is empty", "'tool_calls'"] },
    };

    [Theory]
    [MemberData(nameof(Causes))]
    public async Task AnswerThatIsNone_IsNamedByItsCause(string kind, string[] expected)
    {
        ChatResponse answer = kind switch
        {
            "refusal" => new(new ChatMessage(ChatRole.Assistant, [new ErrorContent("I cannot\ncompare people.") { ErrorCode = "Refusal" }])),
            "filter" => Answer("", ChatFinishReason.ContentFilter),
            "length" => Answer(Good[..60], ChatFinishReason.Length),
            "unclosed" => Answer("<think>A is a fox", ChatFinishReason.Stop),
            "unclosed length" => Answer("<think>A is a fox", ChatFinishReason.Length),
            "reasoning" => new(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("A is a fox")])),
            "blank" => Answer(" \n", ChatFinishReason.ToolCalls),
            _ => Answer(""),
        };
        PairJudgement judged = await JudgeAsync(answer);

        Assert.Equal((VerdictStatus.Undecided, 2), (judged.Status, judged.Attempts));
        Assert.All(expected, part => Assert.Contains(part, judged.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WholeVerdict_CountsWhateverTheReasonForItsEnd() =>
        Assert.Equal(VerdictStatus.Decided, (await JudgeAsync(Answer(Good, ChatFinishReason.Length))).Status);

    [Theory]
    [InlineData(-5L, 0)]
    [InlineData(long.MinValue, 0)]
    [InlineData(long.MaxValue, 0)]
    [InlineData(1_000_000_001L, 0)]
    [InlineData(12L, 12)]
    public async Task TokenCounts_ThatCannotBe_AreNotAdded(long reported, long expected)
    {
        ChatResponse answer = Answer(Good);
        answer.Usage = new UsageDetails { InputTokenCount = reported, OutputTokenCount = reported };

        JudgeVote vote = Assert.Single((await JudgeAsync(answer)).Votes);

        Assert.Equal((expected, expected), (vote.InputTokens, vote.OutputTokens));
    }

    private static Task<PairJudgement> JudgeAsync(ChatResponse answer) =>
        new PairJudge(new ResponseClient(answer)).JudgeAsync(TestPictures.Plain(8, 8, (1, 2, 3)), TestPictures.Plain(8, 8, (3, 2, 1)));

    private static ChatResponse Answer(string text, ChatFinishReason? reason = null) =>
        new(new ChatMessage(ChatRole.Assistant, text)) { FinishReason = reason };

    private sealed class ResponseClient(ChatResponse answer) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => Task.FromResult(answer);

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
