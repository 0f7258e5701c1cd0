namespace Dsd.Models.Training.Cache;

/// <summary>Adds the loss of held-out pairs to the first report at or after each multiple of some steps, and to the last.</summary>
/// <param name="inner">Who is told.</param>
/// <param name="evaluate">Computes their loss.</param>
/// <param name="every">Steps between two looks.</param>
/// <param name="cancellationToken">Ends a look.</param>
internal sealed class HeldOutProgress(
    IProgress<TrainingProgress> inner, Func<CancellationToken, float> evaluate, long every, CancellationToken cancellationToken)
    : IProgress<TrainingProgress>
{
    // A run that goes on looks at its first report.
    private long _last = -1;

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        bool due = value.Step / every != _last || value.Step == value.Steps;
        // Steps before the first multiple have nothing to look at.
        if (!due || (value.Step < every && value.Step != value.Steps))
        {
            inner.Report(value);
            return;
        }
        _last = value.Step / every;
        // One that is cancelled within a look must still write its checkpoint, so it ends the look and not the run.
        float? loss = null;
        try
        {
            loss = evaluate(cancellationToken);
        }
        catch (OperationCanceledException)
        {
        }
        inner.Report(value with { ValidationLoss = loss });
    }
}
