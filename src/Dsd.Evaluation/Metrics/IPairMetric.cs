namespace Dsd.Evaluation.Metrics;

/// <summary>Gives each generated picture a score, by its reference or its prompt.</summary>
public interface IPairMetric
{
    /// <summary>What it is called in results, such as <c>clip-i</c>.</summary>
    string Name { get; }

    /// <summary>What computes it, in words: the encoder or the judge.</summary>
    string Source { get; }

    /// <summary>The least score that there is.</summary>
    double Least { get; }

    /// <summary>The largest score that there is.</summary>
    double Most { get; }

    /// <summary>Whether it looks at the prompt. Then pictures without one have no score.</summary>
    bool NeedsPrompt { get; }

    /// <summary>All that its scores depend on, besides what it looks at. A score is computed again where this is another.</summary>
    string Fingerprint { get; }

    /// <summary>Scores some pictures at once.</summary>
    /// <param name="items">The pictures, with prompts where <see cref="NeedsPrompt"/> is set.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>One score for each, in their order, within the range; null where the metric came to none.</returns>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    Task<IReadOnlyList<double?>> ComputeAsync(IReadOnlyList<MetricItem> items, CancellationToken cancellationToken = default);
}
