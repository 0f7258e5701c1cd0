using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
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
        List<TrainingBenchmarkResult> results = [];
        foreach (TrainingSetting setting in options.Settings ?? [.. TrainingSetting.All.Where(s => cuda || s is { Float8: false, Streamed: false })])
        {
            cancellationToken.ThrowIfCancellationRequested();
            TrainingBenchmarkResult result = Measure(options, sizes, setting, rate);
            results.Add(result);
            progress?.Report(result);
        }
        return results;
    }

    private static TrainingBenchmarkResult Measure(
        TrainingBenchmarkOptions options, FluxBenchmarkOptions sizes, TrainingSetting setting, double rate)
    {
        using DisposeScope scope = NewDisposeScope();
        // Where memory is short its state is, too.
        OptimizerOptions optimizer = setting.Float8 ? new EightBitAdamWOptions() : new AdamWOptions();
        TrainingLoopOptions loop = new()
        {
            Steps = WarmUp + options.Steps,
            PeakLearningRate = 1e-4,
            ReportEvery = int.MaxValue,
            Optimizer = optimizer,
            Group = options.Group,
        };
        LoraOptions adapted = new() { Rank = options.Rank, Targets = options.Targets };
        (long image, int batch) = ((long)options.Rows * options.Columns, options.BatchSize);
        TrainingLoad load = FluxTraining.Load(options.Config);
        // Before the whole model takes the memory, as a plan is made.
        double? foreseen = options.Device is { type: DeviceType.CUDA } gpu && options.Group is null or { Rank: 0 } ? load.Rehearse!(new StepRehearsal
        {
            Setting = setting,
            Device = gpu,
            DType = options.DType,
            Adapted = LoraLayers.Of([.. load.Layers.Keys], adapted, load.AdapterTargets).ToDictionary(a => a.Name, a => (a.Rank, a.Alpha)),
            TrainsCondition = options.Config.Conditional,
            Dropout = 0,
            Loop = loop with { Group = null },
            ImageTokens = image,
            TextTokens = options.TextTokens,
            BatchSize = batch,
        }) : null;
        using FluxTransformer transformer = FluxCheckpoint.Random(
            options.Config, options.Device, options.DType, setting.Streamed ? MemoryMode.Streamed : MemoryMode.Resident, setting.Float8, trains: true);
        using LoraAdapter adapter = LoraAdapter.Create(transformer, adapted);
        using LoraAttachment attached = adapter.Attach(transformer, trainable: true);
        (double[] each, double loss) = new FluxTrainingSteps(image, options.TextTokens, batch).Take(transformer, setting, attached, loop, WarmUp);
        double seconds = each.Average();
        long world = options.Group?.WorldSize ?? 1;
        double arithmetic = 2 * batch * FluxBenchmark.Arithmetic(sizes);
        long parameters = attached.Parameters.Sum(p => p.Parameter.numel());
        TrainingPlan plan = TrainingPlanner.Plan(
            load, setting, parameters, optimizer.StateBytes, image, options.TextTokens, batch, options.DType == ScalarType.Float32 ? 4 : 2,
            transformer.Device.type == DeviceType.CUDA, transformer.WritesGradients);
        return new TrainingBenchmarkResult(
            setting.Name,
            (int)world,
            (options.Device ?? CPU).ToString(),
            parameters,
            1000 * seconds,
            world * batch * (image + options.TextTokens) / seconds,
            arithmetic / seconds / 1e12,
            arithmetic / seconds / rate,
            FluxBenchmark.Memory(sizes),
            plan.MemoryBytes,
            1000 * foreseen,
            loss);
    }
}
