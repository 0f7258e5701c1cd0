using System.Diagnostics;
using Dsd.MLNet.Stages.Running;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using TorchSharp;

namespace Dsd.MLNet.FineTuning;

/// <summary>Tells the context's log how training goes, and passes each report on.</summary>
/// <param name="host">Whose log it is.</param>
/// <param name="plan">What was foreseen.</param>
/// <param name="device">Where training runs. Null is the CPU.</param>
/// <param name="told">Who else is told. Null is nobody.</param>
internal sealed class TrainingLog(StageHost host, TrainingPlan plan, torch.Device? device, IProgress<TrainingProgress>? told) : IProgress<TrainingProgress>
{
    // On a GPU what draws the rows may lie beside the model.
    private readonly long _before = DeviceMemory.Used(device);
    private readonly long _began = Stopwatch.GetTimestamp();
    private TrainingProgress? _last;
    private long _most;

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        if (_last is null && value.Began > 0)
        {
            host.Info($"Training goes on from step {value.Began} of {value.Steps}, as the checkpoint has it.");
        }
        TrainingStatus status = TrainingStatus.Of(value, _last, device);
        host.Info($"Training: {status}.");
        if (value.Skipped > (_last?.Skipped ?? 0))
        {
            host.Warn($"{value.Skipped} of {value.Step} steps changed nothing, since their loss or gradient was not a finite number. "
                + "If it goes on so, lower the learning rate.");
        }
        _last = value;
        _most = Math.Max(_most, status.MemoryBytes);
        told?.Report(value);
    }

    /// <summary>Sums up a run that came to its end.</summary>
    public void End(CacheCounts cache)
    {
        long made = cache.Made + cache.MadeAgain;
        host.Info($"Of what text encoders and autoencoder give, {made} entries were made, and {cache.Found} were in the cache's folder.");
        if (cache.MadeAgain > 0)
        {
            host.Warn($"{cache.MadeAgain} entries of the cache's folder were damaged, and were made again.");
        }
        if (_last is null)
        {
            host.Info("Nothing was left to train: the checkpoint is that of the finished run.");
            return;
        }
        host.Info(FormattableString.Invariant($"Trained in {Stopwatch.GetElapsedTime(_began).TotalSeconds:0.0} s, the model's loading with it."));
        string foreseen = plan.MemoryBytes > 0 ? $"predicted {DeviceMemory.Gib(plan.MemoryBytes)}, " : "";
        host.Info($"Memory in setting {plan.Setting.Name}: {foreseen}measured {DeviceMemory.Gib(_most)}, of which {DeviceMemory.Gib(_before)} before "
            + "the model was loaded.");
    }
}
