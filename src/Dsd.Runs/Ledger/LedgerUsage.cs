namespace Dsd.Runs.Ledger;

/// <summary>What a judge's votes took.</summary>
/// <param name="Judge">The judge.</param>
/// <param name="Model">The model as it names itself; null where it does not.</param>
/// <param name="Votes">How many.</param>
/// <param name="Calls">Questions asked, repeats after unreadable answers included.</param>
/// <param name="InputTokens">Tokens of questions.</param>
/// <param name="OutputTokens">Tokens of answers.</param>
public sealed record LedgerUsage(string Judge, string? Model, long Votes, long Calls, long InputTokens, long OutputTokens);
