using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsd.Models.Layers;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Parallel;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>The loop around a loss: learning rate, optimiser, moving average, checkpoints, resumption, progress and cancellation.</summary>
/// <remarks>
/// A run that is cut off goes on from its last checkpoint with the same steps as an uninterrupted one, as long as the loss
/// depends on its number alone and not on what was drawn before. A step whose loss or gradient is not a finite number changes neither weights nor the
/// optimiser's state nor the average, but counts as a step, so that the next one has other examples. Loss and norm are read once a step, together: a
/// device is waited for once. With a group, each process takes every step with losses of its own, and all end it with the same weights.
/// </remarks>
public sealed class TrainingLoop : IDisposable
{
    private const string SettingPrefix = "option.";
    private const string WorldSize = "world_size";

    // How a step's examples are cut: other numbers of processes may cut them in another way.
    private static readonly string[] Cuts = [nameof(LoraTrainingOptions.BatchSize), nameof(TrainingLoopOptions.AccumulationSteps)];
    private readonly TrainingLoopOptions _options;
    private readonly TrainingGroup? _group;
    private readonly Parameter[] _parameters;
    private readonly GradientBuckets? _buckets;
    private readonly Optimizer _optimizer;
    private readonly WeightAverage? _average;
    private readonly DeviceWorker[] _workers;
    private readonly Action<Tensor> _backward;
    private readonly TrainingCheckpoints? _checkpoints;
    private readonly Dictionary<string, string> _settings;
    private long _skipped;
    private int _skippedInRow;
    private long _saved = -1;
    private (bool Cancelled, bool Late) _stop;
    private bool _isLastPart;

    /// <summary>A loop at step 0, or at the newest checkpoint's step if there is one.</summary>
    /// <param name="parameters">What is trained.</param>
    /// <param name="options">Length, rates and checkpoints.</param>
    /// <param name="replicas">The same parameters on other devices: see <see cref="AdamW"/>. Each gets a thread of its own.</param>
    /// <param name="backward">Computes the gradients of a loss, added to those that are there. Null is the loss' own <c>backward</c>.</param>
    /// <param name="names">
    /// The parameters' names, which begin with the name of their block and a point, for a <paramref name="backward"/> that tells <see cref="BlockIsBack"/> of
    /// blocks: a group then exchanges their gradients while it goes on. Null, the default, where nobody tells.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The checkpoint belongs to other parameters or other options, a replica has others, or there are more or fewer names.
    /// </exception>
    /// <exception cref="WeightsException">There are checkpoints, and all are damaged.</exception>
    public TrainingLoop(
        IEnumerable<Parameter> parameters, TrainingLoopOptions options, IEnumerable<IEnumerable<Parameter>>? replicas = null, Action<Tensor>? backward = null,
        IReadOnlyList<string>? names = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _backward) = (options, backward ?? (loss => loss.backward()));
        IEnumerable<Parameter>[] others = [.. replicas ?? []];
        _group = options.Group;
        if (_group is not null && others.Length > 0)
        {
            throw new ArgumentException($"Replicas and a {nameof(options.Group)} exclude each other: give each device a process.", nameof(replicas));
        }
        _parameters = [.. parameters];
        if (names is not null && names.Count != _parameters.Length)
        {
            throw new ArgumentException($"There are {_parameters.Length} parameters, but {names.Count} names.", nameof(names));
        }
        _buckets = _group is null ? null : new GradientBuckets(_parameters, names, _group);
        _optimizer = options.Optimizer.Create(_parameters, others);
        _settings = SettingsOf(options);
        _checkpoints = options.CheckpointFolder is { } folder && _group is null or { Rank: 0 }
            ? new TrainingCheckpoints(folder, options.KeepCheckpoints, options.Warn)
            : null;
        _average = options.AverageDecay > 0 ? new WeightAverage(_optimizer) : null;
        try
        {
            Resume();
            Spread();
        }
        catch (Exception e)
        {
            Part(e);
            _optimizer.Dispose();
            _average?.Dispose();
            throw;
        }
        _workers = [.. others.Select(_ => new DeviceWorker())];
    }

    /// <summary>Steps taken, those before a resumption and those that were skipped included.</summary>
    public long Step { get; private set; }

    /// <summary>Steps of the whole run that changed nothing.</summary>
    public long Skipped => _skipped;

    /// <summary>Takes steps until the run's length, the deadline or a cancellation; each ends with a checkpoint.</summary>
    /// <param name="loss">
    /// A loss, a scalar with gradients; the argument is its number, from 0: the step's where <see cref="TrainingLoopOptions.AccumulationSteps"/> is 1,
    /// and otherwise that many in a row are one step's.
    /// </param>
    /// <param name="progress">Called every <see cref="TrainingLoopOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>True if the run has its full length. The parameters then hold the moving average, if one is kept.</returns>
    /// <exception cref="InvalidOperationException"><see cref="TrainingLoopOptions.MaxSkippedInRow"/> steps in a row had no finite loss and
    /// gradient. The checkpoints that are there stand.</exception>
    /// <exception cref="TrainingGroupException">Another process of the group died, or ended with an error.</exception>
    public bool Run(Func<long, Tensor> loss, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Run(step => [() => loss(step)], progress, cancellationToken);

    /// <summary>Takes steps as the other form does, with the batch of each step shared out among replicas on several devices.</summary>
    /// <param name="losses">
    /// For a number, one loss for each replica in the order given to the constructor, the first parameters' first: the mean over its share,
    /// all shares of one size. They run at the same time, each always on the same thread.
    /// </param>
    /// <param name="progress">Called every <see cref="TrainingLoopOptions.ReportEvery"/> steps and at the last.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>True if the run has its full length. All replicas then hold the moving average, if one is kept.</returns>
    /// <exception cref="InvalidOperationException"><see cref="TrainingLoopOptions.MaxSkippedInRow"/> steps in a row had no finite loss and
    /// gradient. The checkpoints that are there stand.</exception>
    public bool Run(Func<long, IReadOnlyList<Func<Tensor>>> losses, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(losses);
        try
        {
            return Train(losses, _group is null or { Rank: 0 } ? progress : null, cancellationToken);
        }
        catch (Exception e) when (Part(e))
        {
            throw;
        }
    }

    private bool Train(Func<long, IReadOnlyList<Func<Tensor>>> losses, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        Stopwatch watch = Stopwatch.StartNew();
        TimeSpan lastCheckpoint = TimeSpan.Zero;
        long began = Step;
        double total = 0;
        int counted = 0;
        if (Step < _options.Steps)
        {
            Agree(cancellationToken);
            if (began > 0)
            {
                LookOn(watch);
            }
        }
        while (Step < _options.Steps)
        {
            if (IsToStop(cancellationToken))
            {
                _group?.Barrier();
                Save();
                return _stop.Cancelled ? throw new OperationCanceledException(cancellationToken) : false;
            }
            float value, norm;
            try
            {
                (value, norm) = Advance(losses, cancellationToken);
            }
            catch
            {
                // What the other replicas compute with must not go before they are done.
                Settle();
                throw;
            }
            if (_skippedInRow == 0)
            {
                total += value;
                counted++;
            }
            else if (_skippedInRow >= _options.MaxSkippedInRow)
            {
                Settle();
                throw new InvalidOperationException(
                    $"{_skippedInRow} steps in a row had no finite loss and gradient: at step {Step} of {_options.Steps} the loss is {value}, the norm of "
                        + $"the gradients {norm}. Lower the learning rate ({_options.PeakLearningRate}); the last checkpoint is unharmed.");
            }
            if (Step % _options.ReportEvery == 0 || Step == _options.Steps)
            {
                float mean = counted > 0 ? (float)(total / counted) : float.NaN;
                progress?.Report(new TrainingProgress(Step, _options.Steps, mean, norm, watch.Elapsed) { Skipped = _skipped, Began = began });
                (total, counted) = (0, 0);
            }
            LookOn(watch);
            if (Step % _options.CheckpointSteps == 0 || watch.Elapsed - lastCheckpoint >= _options.CheckpointEvery)
            {
                Save();
                lastCheckpoint = watch.Elapsed;
            }
        }
        Settle();
        // From here on nobody needs another: whoever is done may leave.
        _group?.Barrier();
        Save();
        if (_average is not null)
        {
            _optimizer.Write(_average.Weights);
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

    /// <summary>
    /// To be told within the way back, in the same order in all processes, of a block all of whose gradients of this way back are there. A group begins to
    /// exchange them; without one nothing happens.
    /// </summary>
    /// <param name="block">The block's name: see the constructor's <c>names</c>.</param>
    public void BlockIsBack(string block)
    {
        if (_isLastPart)
        {
            _buckets?.Begin(block);
        }
    }

    /// <summary>One step: the mean loss and the norm of the gradients.</summary>
    private (float Loss, float Norm) Advance(Func<long, IReadOnlyList<Func<Tensor>>> losses, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        int parts = _options.AccumulationSteps;
        Tensor? sum = null;
        int count = 0;
        for (int part = 0; part < parts; part++)
        {
            using DisposeScope graph = NewDisposeScope();
            _isLastPart = part == parts - 1;
            IReadOnlyList<Func<Tensor>> shares = losses(Step * parts + part);
            Task<Tensor>[] others = [.. _workers.Select((worker, i) => worker.Run(() => Share(shares[i + 1])))];
            Tensor loss = Learn(shares[0]);
            foreach (Task<Tensor> other in others)
            {
                using Tensor value = other.GetAwaiter().GetResult();
                loss = loss.Plus(value.to(loss.device));
            }
            sum = (sum is null ? loss : sum.Plus(loss)).MoveToOuterDisposeScope();
            count += shares.Count;
        }
        float[] read;
        using (no_grad())
        {
            _buckets?.End();
            Tensor norm = _optimizer.GradientNorm();
            Tensor both = stack([sum!.Over(count).to(ScalarType.Float32).reshape([]), norm]);
            // All must judge alike by the same bits, whatever GPU each computed its norm with; and stop together.
            read = _group is null ? both.cpu().data<float>().ToArray() : Agree(cancellationToken, both);
        }
        if (!float.IsFinite(read[0]) || !float.IsFinite(read[1]))
        {
            _optimizer.ClearGradients();
            Step++;
            _skipped++;
            _skippedInRow++;
            return (read[0], read[1]);
        }
        _optimizer.Apply(LearningRate.At(_options.Schedule, Step, _options.Steps, _options.WarmupSteps, _options.PeakLearningRate), read[1]);
        Step++;
        _skippedInRow = 0;
        for (int i = 0; i < _workers.Length; i++)
        {
            int replica = i + 1;
            // Not waited for: the worker's next share comes after it in its queue, and that one is waited for before weights change again.
            _workers[i].Run(() =>
            {
                _optimizer.WriteReplica(replica);
                return true;
            });
        }
        // A short average early on, or the random start would weigh on it for long.
        _average?.Add(Math.Min(_options.AverageDecay, (1.0 + Step) / (10.0 + Step)));
        return (read[0], read[1]);
    }

    private void LookOn(Stopwatch watch)
    {
        watch.Stop();
        _options.AfterStep?.Invoke(Step);
        watch.Start();
    }

    private bool IsToStop(CancellationToken cancellationToken)
    {
        if (_group is null)
        {
            _stop = (cancellationToken.IsCancellationRequested, DateTime.UtcNow >= _options.Deadline);
        }
        return _stop.Cancelled || _stop.Late;
    }

    /// <summary>Averages a few numbers over the group, and asks whether any process shall stop: then all do, before the next step.</summary>
    private float[] Agree(CancellationToken cancellationToken, Tensor? numbers = null)
    {
        if (_group is null)
        {
            return [];
        }
        using DisposeScope scope = NewDisposeScope();
        float[] own = [cancellationToken.IsCancellationRequested ? 1 : 0, DateTime.UtcNow >= _options.Deadline ? 1 : 0];
        Tensor all = tensor(own, device: _parameters[0].device);
        all = numbers is null ? all : cat([numbers, all]);
        _group.AllReduce(all);
        float[] read = all.cpu().data<float>().ToArray();
        // Where another has died, they mean nothing.
        _group.Check();
        _stop = (read[^2] > 0, read[^1] > 0);
        return read[..^2];
    }

    /// <summary>Gives all processes of the group what rank 0 begins with.</summary>
    private void Spread()
    {
        if (_group is null)
        {
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        string own = $"{JsonSerializer.Serialize(_settings)} {_options.Steps} {string.Join(' ', _parameters.Select(p => p.numel()))}";
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(own));
        Tensor first = tensor(hash);
        _group.Broadcast(first);
        if (!first.data<byte>().ToArray().AsSpan().SequenceEqual(hash))
        {
            throw new ArgumentException($"Rank {_group.Rank} has other options, data or parameters than rank 0: start all processes with the same ones.");
        }
        IReadOnlyDictionary<string, Tensor> state = _optimizer.State();
        foreach (Tensor one in state.Values.Concat(_average?.Weights ?? []))
        {
            _group.Broadcast(one);
        }
        if (_group.Rank > 0)
        {
            _optimizer.Resume(state);
        }
        Tensor counts = tensor(new[] { Step, _skipped, _skippedInRow });
        _group.Broadcast(counts);
        long[] read = counts.data<long>().ToArray();
        (Step, _skipped, _skippedInRow) = (read[0], read[1], (int)read[2]);
        _group.Check();
    }

    /// <summary>Tells the group why this process ends, unless all do for the same reason. Returns false: the exception goes on.</summary>
    private bool Part(Exception e)
    {
        if (e is not (OperationCanceledException or TrainingGroupException))
        {
            _group?.Leave(e.Message);
        }
        return false;
    }

    /// <summary>Adds the gradients of a loss, as far as it is part of a step's: the loss without its graph.</summary>
    private Tensor Learn(Func<Tensor> loss)
    {
        Tensor value = loss();
        _backward(_options.AccumulationSteps == 1 ? value : value.Over(_options.AccumulationSteps));
        return value.detach();
    }

    /// <summary>The same on a worker's thread.</summary>
    private Tensor Share(Func<Tensor> loss)
    {
        using DisposeScope scope = NewDisposeScope();
        return Learn(loss).DetachFromDisposeScope();
    }

    /// <summary>Waits until the workers have done what is in their queues.</summary>
    private void Settle() => Task.WaitAll(_workers.Select(worker => (Task)worker.Run(() => true)).ToArray());

    private void Save()
    {
        if (_checkpoints is null || _saved == Step)
        {
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> state = new(_optimizer.State());
        foreach ((int i, Tensor average) in (_average?.Weights ?? []).Index())
        {
            state.Add($"average.{i}", average);
        }
        Dictionary<string, string> metadata = new()
        {
            ["step"] = Step.ToString(CultureInfo.InvariantCulture),
            ["skipped"] = _skipped.ToString(CultureInfo.InvariantCulture),
            ["skipped_in_row"] = _skippedInRow.ToString(CultureInfo.InvariantCulture),
            [WorldSize] = (_group?.WorldSize ?? 1).ToString(CultureInfo.InvariantCulture),
        };
        foreach ((string name, string value) in _settings)
        {
            metadata.Add(SettingPrefix + name, value);
        }
        _checkpoints.Save(Step, state, metadata);
        _saved = Step;
    }

    private void Resume()
    {
        using DisposeScope scope = NewDisposeScope();
        using SafetensorsFile? saved = _checkpoints?.OpenNewest();
        if (saved is null)
        {
            return;
        }
        (string before, string now) = (saved.Metadata.GetValueOrDefault(WorldSize, "1"), (_group?.WorldSize ?? 1).ToString(CultureInfo.InvariantCulture));
        string? Was(string name) => saved.Metadata.GetValueOrDefault(SettingPrefix + name);
        string? Is(string name) => _settings.GetValueOrDefault(name);
        IEnumerable<string> was = saved.Metadata.Keys.Where(k => k.StartsWith(SettingPrefix, StringComparison.Ordinal)).Select(k => k[SettingPrefix.Length..]);
        string[] differing =
        [
            .. _settings.Keys.Union(was)
                .Where(name => before == now || !Cuts.Contains(name))
                .Where(name => Was(name) != Is(name))
                .Select(name => $"{name} was {Was(name) ?? "not set"} and is {Is(name) ?? "not set"}"),
        ];
        if (differing.Length > 0)
        {
            throw new ArgumentException(
                $"'{saved.Path}' is of a run with other options: {string.Join("; ", differing)}. Give the same ones, or another folder to begin anew.");
        }
        if (before != now)
        {
            _options.Warn?.Invoke(
                $"The run had {before} processes and goes on with {now}. Its examples come in the same order only if a step has as many of them as before.");
        }
        _optimizer.Resume(name => saved.Entries.GetValueOrDefault(name)?.ElementCount, saved.Read);
        foreach ((int i, Tensor average) in (_average?.Weights ?? []).Index())
        {
            using DisposeScope one = NewDisposeScope();
            average.copy_(saved.Read($"average.{i}"));
        }
        Step = _saved = long.Parse(saved.Metadata["step"], CultureInfo.InvariantCulture);
        _skipped = long.Parse(saved.Metadata["skipped"], CultureInfo.InvariantCulture);
        _skippedInRow = int.Parse(saved.Metadata["skipped_in_row"], CultureInfo.InvariantCulture);
    }

    /// <summary>What decides on the result. The number of steps does so only where the learning rate depends on it.</summary>
    private static Dictionary<string, string> SettingsOf(TrainingLoopOptions options)
    {
        Dictionary<string, string> settings = new(options.Settings)
        {
            [nameof(options.Optimizer)] = JsonSerializer.Serialize(options.Optimizer),
            [nameof(options.Schedule)] = options.Schedule.ToString(),
            [nameof(options.PeakLearningRate)] = options.PeakLearningRate.ToString("R", CultureInfo.InvariantCulture),
            [nameof(options.WarmupSteps)] = options.WarmupSteps.ToString(CultureInfo.InvariantCulture),
            [nameof(options.AccumulationSteps)] = options.AccumulationSteps.ToString(CultureInfo.InvariantCulture),
            [nameof(options.AverageDecay)] = options.AverageDecay.ToString("R", CultureInfo.InvariantCulture),
        };
        if (options.Schedule != LearningRateSchedule.Constant)
        {
            settings[nameof(options.Steps)] = options.Steps.ToString(CultureInfo.InvariantCulture);
        }
        return settings;
    }
}
