using System.Globalization;

namespace Dsd.Tools.Train;

/// <summary>Progress of training as text.</summary>
internal static class TrainText
{
    public static string Of(LogEntry e, long steps)
    {
        TimeSpan left = TimeSpan.FromSeconds(Math.Min((steps - e.Step) * e.SecondsPerStep, TimeSpan.FromDays(999).TotalSeconds));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"training: step {e.Step} of {steps}, loss {e.Loss?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "not finite"}"
                + $"{(e.ValidationLoss is { } held ? $", held-out {held:0.0000}" : "")}, {1 / Math.Max(1e-6, e.SecondsPerStep):0.00} steps/s, "
                + $"{Gib(e.MemoryBytes)}"
                + $"{(e.Skipped > 0 ? $", {e.Skipped} skipped" : "")}, {Time(left)} left");
    }

    public static string Of(PairsRead pairs, TimeSpan since) => string.Create(
        CultureInfo.InvariantCulture, $"reading: {pairs.Count} pairs ({pairs.Count / Math.Max(1, since.TotalSeconds):0.0} a second)");

    /// <summary>Bytes in the unit of plans.</summary>
    public static string Gib(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB");

    private static string Time(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s" : $"{time.Seconds} s";
}
