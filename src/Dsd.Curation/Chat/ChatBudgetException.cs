namespace Dsd.Curation.Chat;

/// <summary>The budget for a chat model is spent. It is no fault of a request, and not repeated.</summary>
public sealed class ChatBudgetException : Exception
{
    /// <summary>Says which budget, and how large it was.</summary>
    public ChatBudgetException(string message)
        : base(message)
    {
    }
}
