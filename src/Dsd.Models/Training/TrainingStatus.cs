using System.Globalization;
using Dsd.Models.Training.Planning;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>A report of a training run with its speed and the device's memory: what logs and terminals show.</summary>
/// <param name="Progress">The report.</param>
/// <param name="SecondsPerStep">Seconds a step since the report before, with what came between them.</param>
/// <param name="MemoryBytes">The device's memory in use, as <see cref="DeviceMemory.Used"/> tells it.</param>
public sealed record TrainingStatus(TrainingProgress Progress, double SecondsPerStep, long MemoryBytes)
{
    /// <summary>The status at a report, with the memory as it is now.</summary>
    /// <param name="progress">The report.</param>
    /// <param name="before">The report before, of the same process. Null where there was none.</param>
    /// <param name="device">Where training runs. Null is the CPU.</param>
    public static TrainingStatus Of(TrainingProgress progress, TrainingProgress? before, Device? device)
    {
        ArgumentNullException.ThrowIfNull(progress);
        (long step, TimeSpan elapsed) = before is null ? (progress.Began, TimeSpan.Zero) : (before.Step, before.Elapsed);
        return new TrainingStatus(
            progress, (progress.Elapsed - elapsed).TotalSeconds / Math.Max(1, progress.Step - step), DeviceMemory.Used(device));
    }

    /// <summary>In one line: <c>step 10 of 60, loss 0.2018, 2.00 steps/s, 0.4 GiB, 24 s left</c>.</summary>
    public override string ToString()
    {
        TimeSpan left = TimeSpan.FromSeconds(Math.Min((Progress.Steps - Progress.Step) * SecondsPerStep, TimeSpan.FromDays(999).TotalSeconds));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"step {Progress.Step} of {Progress.Steps}, loss {Text(Progress.Loss)}{(Progress.ValidationLoss is { } held ? $", held-out {Text(held)}" : "")}, "
                + $"{1 / Math.Max(1e-6, SecondsPerStep):0.00} steps/s, {DeviceMemory.Gib(MemoryBytes)}"
                + $"{(Progress.Skipped > 0 ? $", {Progress.Skipped} skipped" : "")}, {Text(left)} left");
    }

    private static string Text(float loss) => float.IsFinite(loss) ? loss.ToString("0.0000", CultureInfo.InvariantCulture) : "not finite";

    private static string Text(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s" : $"{time.Seconds} s";
}
