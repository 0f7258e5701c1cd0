using Dsd.Common.Options;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>What may be spent on a chat model: shared by all clients it is given to, and safe to use from several threads.</summary>
/// <remarks>
/// Calls are counted before they are made, failed and repeated ones too, and never exceed their limit. Tokens are known afterwards only:
/// the calls then under way may exceed theirs, and what a failed call took is seldom told. Counts below nothing, and of more than a billion
/// for one answer, are no counts.
/// </remarks>
public sealed class ChatBudget
{
    private readonly Lock _gate = new();
    private (long Calls, long Tokens) _elsewhere;

    /// <summary>The most calls; null for no limit.</summary>
    public long? MaxCalls { get; init => field = OptionCheck.RangeOrNull(value, 0, long.MaxValue, nameof(MaxCalls)); }

    /// <summary>The most tokens, of questions and answers together; null for no limit.</summary>
    public long? MaxTokens { get; init => field = OptionCheck.RangeOrNull(value, 0, long.MaxValue, nameof(MaxTokens)); }

    /// <summary>Calls made so far, failed ones included, without those elsewhere.</summary>
    public long Calls { get; private set; }

    /// <summary>Tokens used so far, without those elsewhere.</summary>
    public long Tokens { get; private set; }

    /// <summary>What earlier sessions have spent of this budget, or other processes spend at the same time. Set it as it becomes known.</summary>
    public (long Calls, long Tokens) Elsewhere
    {
        get
        {
            lock (_gate)
            {
                return _elsewhere;
            }
        }

        set
        {
            lock (_gate)
            {
                _elsewhere = value;
            }
        }
    }

    /// <summary>Counts a call that is about to be made.</summary>
    /// <exception cref="ChatBudgetException">There is nothing left.</exception>
    internal void Take()
    {
        lock (_gate)
        {
            if (Calls + _elsewhere.Calls >= MaxCalls)
            {
                throw new ChatBudgetException($"The budget of {MaxCalls} calls is spent. What was judged is kept; go on with a larger one.");
            }
            if (Tokens + _elsewhere.Tokens >= MaxTokens)
            {
                throw new ChatBudgetException(
                    $"The budget of {MaxTokens} tokens is spent ({Tokens + _elsewhere.Tokens} used). What was judged is kept; go on with a larger one.");
            }
            Calls++;
        }
    }

    /// <summary>Counts what an answer took.</summary>
    /// <exception cref="ChatBudgetException">There is a limit on tokens, and the model does not say how many it took.</exception>
    internal void Add(UsageDetails? usage)
    {
        long tokens = TokenCount.Total(usage) ?? 0;
        if (tokens <= 0 && MaxTokens is not null)
        {
            throw new ChatBudgetException(
                $"There is a budget of {MaxTokens} tokens, but the model does not say how many it takes. Give a budget of calls ({nameof(MaxCalls)}) instead.");
        }
        lock (_gate)
        {
            Tokens += tokens;
        }
    }
}
