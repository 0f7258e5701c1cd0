using System.Globalization;
using Dsd.Models.Training;

namespace Dsd.Tools.Train;

/// <summary>Progress of training as text.</summary>
internal static class TrainText
{
    public static string Of(LogEntry e, long steps)
    {
        TrainingProgress progress = new(e.Step, steps, e.Loss ?? float.NaN, e.GradientNorm ?? float.NaN, TimeSpan.FromSeconds(e.Seconds), e.ValidationLoss)
        {
            Skipped = e.Skipped,
        };
        return $"training: {new TrainingStatus(progress, e.SecondsPerStep, e.MemoryBytes)}";
    }

    public static string Of(PairsRead pairs, TimeSpan since) => string.Create(
        CultureInfo.InvariantCulture, $"reading: {pairs.Count} pairs ({pairs.Count / Math.Max(1, since.TotalSeconds):0.0} a second)");
}
