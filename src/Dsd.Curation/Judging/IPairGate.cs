using Dsd.Imaging;

namespace Dsd.Curation.Judging;

/// <summary>Says cheaply how alike two pictures are, so that a dear judge need not be asked about every pair.</summary>
public interface IPairGate
{
    /// <summary>What it is called in ledgers and reports: another name for whatever gives other numbers.</summary>
    string Name { get; }

    /// <summary>How alike two pictures are: −1 to 1, where 1 is the same.</summary>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    Task<double> SimilarityAsync(Picture a, Picture b, CancellationToken cancellationToken = default);
}
