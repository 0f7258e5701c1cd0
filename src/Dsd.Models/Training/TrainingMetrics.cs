using System.Diagnostics.Metrics;

namespace Dsd.Models.Training;

/// <summary>
/// What a training run tells <c>System.Diagnostics.Metrics</c>, at each report of progress: <c>dsd.training.loss</c>, a gauge with the mean loss since
/// the last report; <c>dsd.training.steps</c> and <c>dsd.training.pairs</c>, counters of what this process has done.
/// </summary>
public static class TrainingMetrics
{
    /// <summary>The meter's name, for listeners.</summary>
    public const string MeterName = "Dsd.Training";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Gauge<double> LossGauge = Meter.CreateGauge<double>("dsd.training.loss", description: "Mean loss since the last report");
    private static readonly Counter<long> StepCounter = Meter.CreateCounter<long>("dsd.training.steps", "{step}", "Steps taken");
    private static readonly Counter<long> PairCounter = Meter.CreateCounter<long>("dsd.training.pairs", "{pair}", "Pairs seen");

    /// <summary>Records what came since the last report.</summary>
    internal static void Record(float loss, long steps, long pairs)
    {
        if (float.IsFinite(loss))
        {
            LossGauge.Record(loss);
        }
        StepCounter.Add(steps);
        PairCounter.Add(pairs);
    }
}
