using Dsd.Models.Training;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>What every stage is given: where to read and write, on which device, until when, and whom to tell.</summary>
internal sealed record StageContext(
    TinyTrainingConfig Config,
    string OutFolder,
    IReadOnlyList<Device> Devices,
    DateTime Deadline,
    Action<string> Log,
    CancellationToken CancellationToken)
{
    /// <summary>The device of all that is not shared out among several.</summary>
    public Device Device => Devices[0];

    /// <summary>Folder of checkpoints and pictures that are not part of the model.</summary>
    public string WorkFolder => Path.Combine(OutFolder, ".training");

    public TimeSpan TimeLeft => Deadline - DateTime.UtcNow;

    public string Checkpoints(string stage) => Path.Combine(WorkFolder, stage);

    public TrainingLoopOptions Loop(string stage, StageConfig config, double averageDecay = 0) => new()
    {
        Steps = config.Steps,
        PeakLearningRate = config.PeakLearningRate,
        WarmupSteps = Math.Min(500, config.Steps / 10),
        AverageDecay = averageDecay,
        CheckpointFolder = Checkpoints(stage),
        Deadline = Deadline,
    };

    public IProgress<TrainingProgress> Progress(string stage) => new Reporter(this, stage);

    /// <summary>Reports at once, in order, on the training thread; <see cref="Progress{T}"/> would report later and elsewhere.</summary>
    private sealed class Reporter(StageContext context, string stage) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress p)
        {
            if (p.Step % 250 == 0 || p.Step == p.Steps || p.Step <= 50)
            {
                context.Log($"{stage}: step {p.Step}/{p.Steps}  loss {p.Loss:F5}  gradient {p.GradientNorm:F3}  {p.Elapsed.TotalSeconds:F0} s");
            }
        }
    }
}
