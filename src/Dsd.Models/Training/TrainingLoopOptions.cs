using Dsd.Common.Options;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Parallel;

namespace Dsd.Models.Training;

/// <summary>Length, rates and checkpoints of a <see cref="TrainingLoop"/>.</summary>
public sealed record TrainingLoopOptions
{
    /// <summary>Steps in the run, at least 1.</summary>
    public required long Steps { get; init => field = OptionCheck.Range(value, 1, long.MaxValue, nameof(Steps)); }

    /// <summary>The largest learning rate, above 0.</summary>
    public required double PeakLearningRate { get; init => field = OptionCheck.Range(value, double.Epsilon, 100, nameof(PeakLearningRate)); }

    /// <summary>How the learning rate goes on after the warm-up. Default half a cosine down to nothing.</summary>
    public LearningRateSchedule Schedule { get; init => field = OptionCheck.Defined(value, nameof(Schedule)); } = LearningRateSchedule.Cosine;

    /// <summary>Steps over which the learning rate rises. Default 0.</summary>
    public long WarmupSteps { get; init => field = OptionCheck.Range(value, 0, long.MaxValue, nameof(WarmupSteps)); }

    /// <summary>The optimiser and its settings. Default AdamW.</summary>
    public OptimizerOptions Optimizer { get; init => field = value ?? throw new ArgumentNullException(nameof(Optimizer)); } = new AdamWOptions();

    /// <summary>Losses whose gradients are averaged for one step, one after the other; 1 to 65536, default 1. It costs time, not memory.</summary>
    public int AccumulationSteps { get; init => field = OptionCheck.Range(value, 1, 65536, nameof(AccumulationSteps)); } = 1;

    /// <summary>Decay of the moving average of the weights, below 1; 0, the default, keeps none. It lies in the host's memory.</summary>
    public double AverageDecay { get; init => field = OptionCheck.Range(value, 0, 0.999999, nameof(AverageDecay)); }

    /// <summary>So many steps in a row without a finite loss and gradient end the run; fewer are left out. At least 1, default 10.</summary>
    public int MaxSkippedInRow { get; init => field = OptionCheck.Range(value, 1, int.MaxValue, nameof(MaxSkippedInRow)); } = 10;

    /// <summary>Steps between two reports of progress, at least 1; the last step is reported too. Default 50.</summary>
    public int ReportEvery { get; init => field = OptionCheck.Range(value, 1, int.MaxValue, nameof(ReportEvery)); } = 50;

    /// <summary>
    /// A folder for states of the run, from which one that was cut off goes on, and of which a finished one is not trained again; null, the default, keeps
    /// none.
    /// </summary>
    public string? CheckpointFolder { get; init => field = OptionCheck.TextOrNull(value, nameof(CheckpointFolder)); }

    /// <summary>How many states are kept, 1 to 1000: the newest. Default 3.</summary>
    public int KeepCheckpoints { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(KeepCheckpoints)); } = 3;

    /// <summary>Steps between checkpoints, beside the time between them; null, the default, is time alone.</summary>
    public long? CheckpointSteps { get; init => field = OptionCheck.RangeOrNull(value, 1, long.MaxValue, nameof(CheckpointSteps)); }

    /// <summary>Time between checkpoints, at most a year. Default two minutes.</summary>
    public TimeSpan CheckpointEvery
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromDays(366), nameof(CheckpointEvery));
    } = TimeSpan.FromMinutes(2);

    /// <summary>When to write a checkpoint and stop (UTC). Default never.</summary>
    public DateTime Deadline { get; init; } = DateTime.MaxValue;

    /// <summary>
    /// What else decides on the run's result, by name: a checkpoint of a run that differs in it is refused, as where the options above differ. Default nothing.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init => field = value ?? throw new ArgumentNullException(nameof(Settings)); } =
        new Dictionary<string, string>();

    /// <summary>Is told what a user should know, such as of a damaged checkpoint. Null, the default, is nobody.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>
    /// The processes that train together, each with its own losses: gradients are averaged over them, rank 0 alone reports and writes checkpoints, and all
    /// begin with its weights. It stays the caller's. Null, the default, is this process alone.
    /// </summary>
    public TrainingGroup? Group { get; init; }

    /// <summary>
    /// Called with the number of steps taken after each step and before its checkpoint, and before the first step of a run that goes on. The time that it
    /// takes is not counted. Null is nobody.
    /// </summary>
    internal Action<long>? AfterStep { get; init; }
}
