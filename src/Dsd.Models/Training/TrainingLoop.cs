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
    private readonly DeviceWorker[] _workers;
    private readonly Action<Tensor> _backward;

    /// <summary>A loop at step 0, or at the checkpoint's step if there is one.</summary>
    /// <param name="parameters">What is trained.</param>
    /// <param name="options">Length, rates and checkpoint.</param>
    /// <param name="replicas">The same parameters on other devices: see <see cref="AdamW"/>. Each gets a thread of its own.</param>
    /// <param name="backward">Computes the gradients of a loss. Null is the loss' own <c>backward</c>.</param>
    /// <exception cref="ArgumentException">The checkpoint belongs to other parameters, or a replica has others.</exception>
    public TrainingLoop(
        IEnumerable<Parameter> parameters, TrainingLoopOptions options, IEnumerable<IEnumerable<Parameter>>? replicas = null, Action<Tensor>? backward = null)
    {
        (_options, _backward) = (options, backward ?? (loss => loss.backward()));
        IEnumerable<Parameter>[] others = [.. replicas ?? []];
        _optimizer = new AdamW(parameters, options.Optimizer, others);
        _workers = [.. others.Select(_ => new DeviceWorker())];
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
    /// <param name="progress">Called every <see cref="TrainingLoopOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>True if the run has its full length. The parameters then hold the moving average, if one is kept.</returns>
    /// <exception cref="InvalidOperationException">The loss is no longer a finite number.</exception>
    public bool Run(Func<long, Tensor> loss, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Run(step => [() => loss(step)], progress, cancellationToken);

    /// <summary>Takes steps as the other form does, with the batch of each step shared out among replicas on several devices.</summary>
    /// <param name="losses">
    /// For a step, one loss for each replica in the order given to the constructor, the first parameters' first: the mean over its share,
    /// all shares of one size. They run at the same time, each always on the same thread.
    /// </param>
    /// <param name="progress">Called every <see cref="TrainingLoopOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>True if the run has its full length. All replicas then hold the moving average, if one is kept.</returns>
    /// <exception cref="InvalidOperationException">The loss is no longer a finite number.</exception>
    public bool Run(Func<long, IReadOnlyList<Func<Tensor>>> losses, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
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
            Tensor value, norm;
            try
            {
                (value, norm) = Advance(losses(Step));
            }
            catch
            {
                // What the other replicas compute with must not go before they are done.
                Settle();
                throw;
            }
            using (no_grad())
            {
                total.add_(value);
                // A short average early on, or the random start would weigh on it for long.
                _average?.lerp_(_optimizer.Weights, 1 - Math.Min(_options.AverageDecay, (1.0 + Step) / (10.0 + Step)));
            }
            counted++;
            if (Step % _options.ReportEvery == 0 || Step == _options.Steps)
            {
                float mean = total.item<float>() / counted;
                if (!float.IsFinite(mean))
                {
                    throw new InvalidOperationException(
                        $"The loss is {mean} after step {Step} of {_options.Steps}. Lower the learning rate ({_options.PeakLearningRate}); "
                            + "the last checkpoint is unharmed.");
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
        Settle();
        if (_average is not null)
        {
            _optimizer.Write(_average);
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceWorker worker in _workers)
        {
            worker.Dispose();
        }
        _optimizer.Dispose();
        _average?.Dispose();
    }

    /// <summary>One step: the mean loss and the norm of the gradients.</summary>
    private (Tensor Loss, Tensor Norm) Advance(IReadOnlyList<Func<Tensor>> losses)
    {
        Task<(Tensor Loss, Tensor Gradient)>[] others = [.. _workers.Select((worker, i) => worker.Run(() => Share(losses[i + 1], i + 1)))];
        Tensor first = losses[0]();
        _backward(first);
        Tensor loss = first.detach();
        List<Tensor> gradients = [];
        foreach (Task<(Tensor Loss, Tensor Gradient)> other in others)
        {
            (Tensor value, Tensor gradient) = other.GetAwaiter().GetResult();
            loss = loss + value.to(loss.device);
            gradients.Add(gradient);
            value.Dispose();
        }
        Tensor norm = _optimizer.Step(LearningRate.Cosine(Step, _options.Steps, _options.WarmupSteps, _options.PeakLearningRate), gradients);
        gradients.ForEach(gradient => gradient.Dispose());
        for (int i = 0; i < _workers.Length; i++)
        {
            int replica = i + 1;
            // Not waited for: the worker's next share comes after it in its queue, and that one is waited for before weights change again.
            _workers[i].Run(() =>
            {
                _optimizer.WriteReplica(replica, _optimizer.Weights);
                return true;
            });
        }
        return (losses.Count == 1 ? loss : loss / losses.Count, norm);
    }

    /// <summary>Loss and gradients of one replica, on its worker's thread.</summary>
    private (Tensor Loss, Tensor Gradient) Share(Func<Tensor> loss, int replica)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor value = loss();
        _backward(value);
        return (value.detach().DetachFromDisposeScope(), _optimizer.TakeGradient(replica).DetachFromDisposeScope());
    }

    /// <summary>Waits until the workers have done what is in their queues.</summary>
    private void Settle() => Task.WaitAll(_workers.Select(worker => (Task)worker.Run(() => true)).ToArray());

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
