using Dsd.Evaluation.Metrics;

namespace Dsd.Evaluation.Tests.Running;

/// <summary>A metric that remembers what it was asked: the brightness of a picture's first pixel.</summary>
internal sealed class CountingMetric : IPairMetric
{
    public List<string> Asked { get; } = [];

    /// <summary>Called before each batch.</summary>
    public Action? Before { get; init; }

    /// <summary>The score in place of the brightness.</summary>
    public double? Always { get; init; }

    public string Name { get; init; } = "first-pixel";

    public string Source => "the first pixel";

    public double Least => 0;

    public double Most => 1;

    public bool NeedsPrompt { get; init; }

    public string Fingerprint { get; init; } = "first-pixel 1";

    public Task<IReadOnlyList<double?>> ComputeAsync(IReadOnlyList<MetricItem> items, CancellationToken cancellationToken = default)
    {
        Before?.Invoke();
        cancellationToken.ThrowIfCancellationRequested();
        Asked.AddRange(items.Select(i => i.Name));
        return Task.FromResult<IReadOnlyList<double?>>([.. items.Select(i => Always ?? i.Generated.Pixels[0] / 255.0)]);
    }
}
