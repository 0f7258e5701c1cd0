using Dsd.Curation.Chat;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests.Chat;

public class ChatBudgetTests
{
    [Theory]
    [InlineData(30L, 10L, 20L, 30)]
    [InlineData(null, 10L, 20L, 30)]
    [InlineData(-30L, 10L, 20L, 30)]
    [InlineData(long.MaxValue, 10L, 20L, 30)]
    [InlineData(null, -10L, 20L, 20)]
    [InlineData(null, long.MaxValue, long.MaxValue, 0)]
    [InlineData(-1L, -1L, null, 0)]
    public async Task Tokens_ThatCannotBe_AreNotCounted(long? total, long? input, long? output, long expected)
    {
        ChatBudget budget = new();
        ChatResponse answer =
            new(new ChatMessage(ChatRole.Assistant, "x"))
            {
                Usage = new UsageDetails { TotalTokenCount = total, InputTokenCount = input, OutputTokenCount = output },
            };
        using LimitedChatClient client = new(new AnswerClient(answer), new ChatLimits { Budget = budget });

        await client.GetResponseAsync("question");

        Assert.Equal((1, expected), (budget.Calls, budget.Tokens));
    }

    [Fact]
    public async Task Tokens_BelowNothing_DoNotMakeABudgetEndless()
    {
        ChatResponse answer = new(new ChatMessage(ChatRole.Assistant, "x")) { Usage = new UsageDetails { TotalTokenCount = -100 } };
        using LimitedChatClient client = new(new AnswerClient(answer), new ChatLimits { Budget = new ChatBudget { MaxTokens = 50 } });

        await Assert.ThrowsAsync<ChatBudgetException>(() => client.GetResponseAsync("question"));
    }

    private sealed class AnswerClient(ChatResponse answer) : IChatClient
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
