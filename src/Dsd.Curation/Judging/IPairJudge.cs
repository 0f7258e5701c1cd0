using Dsd.Imaging;

namespace Dsd.Curation.Judging;

/// <summary>Decides whether two pictures show the same subject: one model, several that vote, or a cheap one before an expensive one.</summary>
public interface IPairJudge
{
    /// <summary>What it is called in ledgers and reports.</summary>
    string Name { get; }

    /// <summary>Judges one pair.</summary>
    /// <remarks>Failures of a client (network, quota) are no verdicts and are thrown.</remarks>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default);
}
