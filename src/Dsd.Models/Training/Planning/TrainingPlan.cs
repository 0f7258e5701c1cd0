using System.Globalization;

namespace Dsd.Models.Training.Planning;

/// <summary>What training would take in one setting, said before the first step.</summary>
/// <param name="Setting">What of the base model lies where.</param>
/// <param name="MemoryBytes">The most that the process takes of the device's memory; 0 where the model's family cannot say.</param>
/// <param name="SecondsPerStep">Seconds a step, by steps of a smaller network on the device; null where none were taken.</param>
public sealed record TrainingPlan(TrainingSetting Setting, long MemoryBytes, double? SecondsPerStep)
{
    /// <summary>In one line: <c>float8: 21.3 GiB, about 0.41 s a step</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Setting.Name}{(MemoryBytes > 0 ? $": {DeviceMemory.Gib(MemoryBytes)}" : "")}{(SecondsPerStep is { } s ? $", about {s:0.00} s a step" : "")}");
}
