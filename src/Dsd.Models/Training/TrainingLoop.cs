using System.Diagnostics;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>The loop around a loss: learning rate, optimiser, moving average, checkpoints, resumption, progress and cancellation.</summary>
/// <remarks>
/// A run that is cut off goes on from its last checkpoint with the same steps as an uninterrupted one, as long as the loss
/// depends on the step's number alone and not on what was drawn before.
/// </remarks>
public sealed class TrainingLoop : IDisposable
{
    private readonly TrainingLoopOptions _options;
    private readonly AdamW _optimizer;
    private readonly Tensor? _average;

    /// <summary>A loop at step 0, or at the checkpoint's step if there is one.</summary>
    /// <param name="parameters">What is trained.</param>
    /// <param name="options">Length, rates and checkpoint.</param>
    /// <exception cref="ArgumentException">The checkpoint belongs to other parameters.</exception>
    public TrainingLoop(IEnumerable<Parameter> parameters, TrainingLoopOptions options)
    {
        _options = options;
        _optimizer = new AdamW(parameters, options.Optimizer);
        _average = options.AverageDecay > 0 ? _optimizer.Weights.clone().DetachFromDisposeScope() : null;
        if (options.Checkpoint is { } file && File.Exists(file))
        {
            Resume(file);
        }
    }

    /// <summary>Steps taken, those before a resumption included.</summary>
    public long Step => _optimizer.Steps;

    /// <summary>Takes steps until the run's length, the deadline or a cancellation; writes a checkpoint in the last two cases too.</summary>
    /// <param name="loss">The loss of a step, a scalar with gradients; the argument is the step's number, from 0.</param>
    /// <param name="progress">Told every <see cref="TrainingLoopOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>True if the run has its full length. The parameters then hold the moving average, if one is kept.</returns>
    /// <exception cref="InvalidOperationException">The loss is no longer a finite number.</exception>
    public bool Run(Func<long, Tensor> loss, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Stopwatch watch = Stopwatch.StartNew();
        TimeSpan lastCheckpoint = TimeSpan.Zero;
        using DisposeScope run = NewDisposeScope();
        Tensor total = zeros(1, device: _optimizer.Weights.device);
        int counted = 0;
        while (Step < _options.Steps)
        {
            if (cancellationToken.IsCancellationRequested || DateTime.UtcNow >= _options.Deadline)
            {
                Save();
                cancellationToken.ThrowIfCancellationRequested();
                return false;
            }
            using DisposeScope scope = NewDisposeScope();
            Tensor value = loss(Step);
            value.backward();
            Tensor norm = _optimizer.Step(LearningRate.Cosine(Step, _options.Steps, _options.WarmupSteps, _options.PeakLearningRate));
            using (no_grad())
            {
                total.add_(value.detach());
                // A short average early on, or the random start would weigh on it for long.
                _average?.lerp_(_optimizer.Weights, 1 - Math.Min(_options.AverageDecay, (1.0 + Step) / (10.0 + Step)));
            }
            counted++;
            if (Step % _options.ReportEvery == 0 || Step == _options.Steps)
            {
                float mean = total.item<float>() / counted;
                if (!float.IsFinite(mean))
                {
                    throw new InvalidOperationException($"The loss is {mean} after step {Step} of {_options.Steps}. Lower the learning rate ({_options.PeakLearningRate}); the last checkpoint is unharmed.");
                }
                progress?.Report(new TrainingProgress(Step, _options.Steps, mean, norm.item<float>(), watch.Elapsed));
                total.zero_();
                counted = 0;
                if (watch.Elapsed - lastCheckpoint >= _options.CheckpointEvery)
                {
                    Save();
                    lastCheckpoint = watch.Elapsed;
                }
            }
        }
        if (_average is not null)
        {
            _optimizer.Write(_average);
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _average?.Dispose();
    }

    private void Save()
    {
        if (_options.Checkpoint is not { } file)
        {
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> state = new(_optimizer.State());
        if (_average is not null)
        {
            state["average"] = _average;
        }
        SafetensorsWriter.Write(file, state, metadata: null);
    }

    private void Resume(string file)
    {
        using DisposeScope scope = NewDisposeScope();
        using SafetensorsFile saved = SafetensorsFile.Open(file);
        _optimizer.Resume(saved.Entries.Keys.ToDictionary(n => n, saved.Read));
        _average?.copy_(saved.Read("average"));
    }
}
