namespace Dsd.Models.Training;

/// <summary>Tells <see cref="TrainingMetrics"/> of each report before it is passed on.</summary>
/// <param name="inner">Who else is told; null is nobody.</param>
/// <param name="pairsPerStep">Pairs that a step sees.</param>
internal sealed class MeteredProgress(IProgress<TrainingProgress>? inner, long pairsPerStep) : IProgress<TrainingProgress>
{
    private long? _last;

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        long steps = value.Step - (_last ?? value.Began);
        _last = value.Step;
        TrainingMetrics.Record(value.Loss, steps, steps * pairsPerStep);
        inner?.Report(value);
    }
}
