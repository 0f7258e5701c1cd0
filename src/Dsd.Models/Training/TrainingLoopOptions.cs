using Dsd.Common.Options;

namespace Dsd.Models.Training;

/// <summary>Length, rates and checkpoint of a <see cref="TrainingLoop"/>.</summary>
public sealed record TrainingLoopOptions
{
    /// <summary>Steps in the run, at least 1.</summary>
    public required long Steps { get; init => field = OptionCheck.Range(value, 1, long.MaxValue, nameof(Steps)); }

    /// <summary>The largest learning rate, above 0.</summary>
    public required double PeakLearningRate { get; init => field = OptionCheck.Range(value, double.Epsilon, 100, nameof(PeakLearningRate)); }

    /// <summary>Steps over which the learning rate rises. Default 0.</summary>
    public long WarmupSteps { get; init => field = OptionCheck.Range(value, 0, long.MaxValue, nameof(WarmupSteps)); }

    /// <summary>Settings of the optimiser.</summary>
    public AdamWOptions Optimizer { get; init; } = new();

    /// <summary>Decay of the moving average of the weights, below 1; 0, the default, keeps none.</summary>
    public double AverageDecay { get; init => field = OptionCheck.Range(value, 0, 0.999999, nameof(AverageDecay)); }

    /// <summary>Steps between two reports of progress, at least 1; the last step is reported too. Default 50.</summary>
    public int ReportEvery { get; init => field = OptionCheck.Range(value, 1, int.MaxValue, nameof(ReportEvery)); } = 50;

    /// <summary>The file that the state is kept in, or null, the default, to keep none.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Time between checkpoints. Default two minutes.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>When to write a checkpoint and stop (UTC). Default never.</summary>
    public DateTime Deadline { get; init; } = DateTime.MaxValue;
}
