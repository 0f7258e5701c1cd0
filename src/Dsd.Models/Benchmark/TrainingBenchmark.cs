using System.Diagnostics;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Benchmark;

/// <summary>Times a step of training an adapter over a FLUX transformer: the loop, the loss and the optimiser of <see cref="LoraTrainer"/>.</summary>
public static class TrainingBenchmark
{
    private const int WarmUp = 3;

    /// <summary>Measures every setting.</summary>
    /// <param name="options">Shape, sizes and device.</param>
    /// <param name="progress">Receives each result as soon as it is there.</param>
    /// <param name="cancellationToken">Checked between settings.</param>
    /// <exception cref="NotSupportedException">A setting needs what the device cannot do.</exception>
    public static IReadOnlyList<TrainingBenchmarkResult> Run(
        TrainingBenchmarkOptions options, IProgress<TrainingBenchmarkResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        FluxBenchmarkOptions sizes = new()
        {
            Config = options.Config,
            Device = options.Device,
            DType = options.DType,
            Rows = options.Rows,
            Columns = options.Columns,
            TextTokens = options.TextTokens,
        };
        double rate;
        using (no_grad())
        {
            rate = FluxBenchmark.MatrixProductRate(sizes);
        }
        bool cuda = options.Device is { type: DeviceType.CUDA };
        DeviceSpeed? speed = DeviceSpeed.Measure(options.Device, options.DType);
        List<TrainingBenchmarkResult> results = [];
        foreach (TrainingSetting setting in options.Settings ?? [.. TrainingSetting.All.Where(s => cuda || s is { Float8: false, Streamed: false })])
        {
            cancellationToken.ThrowIfCancellationRequested();
            TrainingBenchmarkResult result = Measure(options, sizes, setting, rate, speed);
            results.Add(result);
            progress?.Report(result);
        }
        return results;
    }

    private static TrainingBenchmarkResult Measure(
        TrainingBenchmarkOptions options, FluxBenchmarkOptions sizes, TrainingSetting setting, double rate, DeviceSpeed? speed)
    {
        using DisposeScope scope = NewDisposeScope();
        using FluxTransformer transformer = FluxCheckpoint.Random(
            options.Config, options.Device, options.DType, setting.Streamed ? MemoryMode.Streamed : MemoryMode.Resident, setting.Float8, trains: true);
        transformer.RecomputedBlocks = setting.Recomputes ? transformer.Blocks : 0;
        transformer.WritesGradients = transformer.Device.type == DeviceType.CUDA;
        using LoraAttachment attached = Attached(transformer, options);
        Tensor[] given = Inputs(options, transformer);
        long batch = options.BatchSize;
        // Where memory is short its state is, too.
        OptimizerOptions optimizer = setting.Float8 ? new EightBitAdamWOptions() : new AdamWOptions();
        Stopwatch watch = new();
        double loss = 0;
        using (TrainingLoop loop = new(
            attached.Parameters.Select(p => p.Parameter),
            new TrainingLoopOptions { Steps = WarmUp + options.Steps, PeakLearningRate = 1e-4, ReportEvery = int.MaxValue, Optimizer = optimizer },
            backward: transformer.Backward))
        {
            loop.Run(
                step =>
                {
                    if (step == WarmUp)
                    {
                        FluxBenchmark.Synchronize(sizes);
                        watch.Start();
                    }
                    return Loss(transformer, given, options, step);
                },
                new Last(p => loss = p.Loss));
            FluxBenchmark.Synchronize(sizes);
            watch.Stop();
        }
        double seconds = watch.Elapsed.TotalSeconds / options.Steps;
        double arithmetic = 2 * batch * FluxBenchmark.Arithmetic(sizes);
        long parameters = attached.Parameters.Sum(p => p.Parameter.numel());
        TrainingPlan plan = TrainingPlanner.Plan(
            FluxTraining.Load(options.Config), setting, parameters, optimizer.StateBytes, options.Rows * options.Columns, options.TextTokens, options.BatchSize,
            (int)given[1].element_size(), transformer.Device.type == DeviceType.CUDA, transformer.WritesGradients, speed);
        return new TrainingBenchmarkResult(
            setting.Name,
            (options.Device ?? CPU).ToString(),
            parameters,
            1000 * seconds,
            batch * (options.Rows * options.Columns + options.TextTokens) / seconds,
            arithmetic / seconds / 1e12,
            arithmetic / seconds / rate,
            FluxBenchmark.Memory(sizes),
            plan.MemoryBytes,
            1000 * plan.SecondsPerStep,
            loss);
    }

    private static LoraAttachment Attached(FluxTransformer transformer, TrainingBenchmarkOptions options)
    {
        using LoraAdapter adapter = LoraAdapter.Create(transformer, new LoraOptions { Rank = options.Rank, Targets = options.Targets });
        return adapter.Attach(transformer, trainable: true);
    }

    // As LoraTrainer's: noise and noise level of the step, both frames in the loss.
    private static Tensor Loss(FluxTransformer transformer, Tensor[] given, TrainingBenchmarkOptions options, long step)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new((ulong)step);
        (Tensor latents, Tensor? condition, Tensor text, Tensor pooled) = (given[0], transformer.IsConditional ? given[1] : null, given[2], given[3]);
        Tensor noise = randn(latents.shape, generator: random).to(latents.device);
        Tensor sigma = rand(options.BatchSize, generator: random).to(latents.device);
        Tensor noised = FlowMatching.Interpolate(latents, noise, sigma);
        Tensor velocity = transformer.forward(
            noised, condition, text, pooled, sigma, transformer.Config.GuidanceEmbeds ? ones(options.BatchSize, device: latents.device) : null,
            LatentPacking.ImageIds(2 * options.Rows, 2 * options.Columns, latents.device), LatentPacking.TextIds(options.TextTokens, latents.device));
        return FlowMatching.Loss(velocity, FlowMatching.Velocity(latents, noise)).MoveToOuterDisposeScope();
    }

    private static Tensor[] Inputs(TrainingBenchmarkOptions options, FluxTransformer transformer)
    {
        using Generator random = new(1);
        FluxConfig c = options.Config;
        long batch = options.BatchSize;
        long image = options.Rows * options.Columns;
        Tensor Draw(ScalarType type, params long[] shape) => randn(shape, generator: random).to(type).to(transformer.Device);
        return
        [
            Draw(ScalarType.Float32, batch, image, c.InChannels), Draw(options.DType, batch, image, c.InChannels),
            Draw(options.DType, batch, options.TextTokens, c.JointAttentionDim), Draw(options.DType, batch, c.PooledProjectionDim),
        ];
    }

    private sealed class Last(Action<TrainingProgress> take) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => take(value);
    }
}
