using Dsd.Models.Acceleration;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Native;
using Dsd.Models.Sampling;
using Dsd.Models.Training.Cache;
using Dsd.Models.Training.Planning;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>Loads a base model for training, with what of it lies where chosen so that it fits the device.</summary>
public static class TrainingModel
{
    /// <summary>
    /// What training would take, by configs and headers alone: no weights are read. Seconds are found out by steps of a network of the same shape with a
    /// few of the blocks, so that processor, card, adapter and sizes all count.
    /// </summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="training">Sizes and adapter. Of several sizes the largest counts.</param>
    /// <param name="options">Device, type, and the setting or the memory that it must fit.</param>
    /// <param name="seconds">For which plans seconds are told; on the CPU for none. Default none.</param>
    /// <returns>The setting that was asked for, or the fastest that fits; then the plans of all settings, the fastest first.</returns>
    /// <exception cref="WeightsException">A file is missing or wrong.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, there is no such device, or a frame is not made of whole tokens.</exception>
    /// <exception cref="InvalidOperationException">No setting fits; the message says which comes nearest, and how much is missing.</exception>
    public static (TrainingPlan Chosen, IReadOnlyList<TrainingPlan> All) Plan(
        string folder, LoraTrainingOptions training, TrainingBase options, PlanSeconds seconds = PlanSeconds.None)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(options);
        (ModelFamily family, ModelFolder parts) = ModelFamilies.Open(folder);
        PipelineOptions pipeline = options.Pipeline(TrainingSetting.Whole);
        ModelOutline outline = family.Outline(parts, new ModelSource(folder) { Conditional = true }, pipeline);
        bool cuda = options.Device is { type: DeviceType.CUDA };
        Canvas canvas = new AspectBuckets(outline.CanvasOf, outline.Frames, training).Largest;
        if (outline.Training is not { } load)
        {
            TrainingPlan only = new(Named(options.Setting) ?? TrainingSetting.Whole, 0, null);
            return (only, [only]);
        }
        (long parameters, Dictionary<string, (long Rank, float Alpha)> adapted) = Adapted(load, training);
        bool written = cuda && training.AdapterDropout == 0 && adapted.Keys.All(load.KeepsNoGraph);
        TrainingPlan Of(TrainingSetting setting) => TrainingPlanner.Plan(
            load, setting, parameters, training.Optimizer.StateBytes, canvas.Tokens, training.MaxTextTokens ?? 512, training.BatchSize,
            pipeline.DType == ScalarType.Float32 ? 4 : 2, gpu: cuda, written);
        TrainingPlan Timed(TrainingPlan plan) => cuda && load.Rehearse is { } rehearse
            ? plan with { SecondsPerStep = rehearse(Rehearsal(plan.Setting, options.Device!, pipeline.DType, adapted, canvas, training)) }
            : plan;
        (TrainingPlan Chosen, IReadOnlyList<TrainingPlan> All) Told(TrainingPlan chosen, TrainingPlan[] all, long limit)
        {
            bool IsTold(TrainingPlan p) => seconds == PlanSeconds.All ? p.MemoryBytes <= limit || p == chosen : seconds == PlanSeconds.Chosen && p == chosen;
            TrainingPlan[] told = [.. all.Select(p => IsTold(p) ? Timed(p) : p)];
            return (told[Array.IndexOf(all, chosen)], told);
        }
        TrainingPlan[] plans = [.. TrainingSetting.All.Where(s => Missing(s, pipeline) is null).Select(Of)];
        if (Named(options.Setting) is { } asked)
        {
            if (options.MemoryBytes is not null)
            {
                throw new ArgumentException(
                    $"Option {nameof(options.MemoryBytes)} chooses the setting, and option {nameof(options.Setting)} names one, '{asked.Name}': "
                        + "leave one of them out.",
                    nameof(options));
            }
            return Missing(asked, pipeline) is { } missing
                ? throw new ArgumentException($"Option {nameof(options.Setting)} is '{asked.Name}', which needs {missing}.", nameof(options))
                : Told(Of(asked), plans, cuda ? CudaModule.FreeMemory(Math.Max(0, options.Device!.index)) : long.MaxValue);
        }
        if (!cuda && options.MemoryBytes is null)
        {
            return (plans[0], plans);
        }
        long limit = options.MemoryBytes ?? CudaModule.FreeMemory(Math.Max(0, options.Device!.index));
        return Told(TrainingPlanner.Choose(Of, limit, [.. plans.Select(p => p.Setting)]), plans, limit);
    }

    /// <summary>Loads a conditional model as a plan says, for the caller to dispose.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="plan">What <see cref="Plan"/> chose.</param>
    /// <param name="options">Device and type, as for the plan.</param>
    /// <exception cref="WeightsException">A file is missing or wrong, or the parts do not fit together.</exception>
    /// <exception cref="ArgumentException">The options contradict each other, or there is no such device.</exception>
    /// <exception cref="NotSupportedException">Eight bits are asked for, and the GPU or its libraries cannot do them.</exception>
    public static DiffusionModel Load(string folder, TrainingPlan plan, TrainingBase options)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(options);
        DiffusionModel model = DiffusionModel.LoadConditional(folder, null, options.Pipeline(plan.Setting));
        model.Network.RecomputedBlocks = plan.Setting.Recomputes ? model.Network.Blocks : 0;
        return model;
    }

    /// <summary>What a setting needs and does not have: a GPU, and for eight bits one that can do them, and bfloat16 to round them from.</summary>
    private static string? Missing(TrainingSetting setting, PipelineOptions options)
    {
        if (setting is { Float8: false, Streamed: false })
        {
            return null;
        }
        if (options.Device is not { type: DeviceType.CUDA } device)
        {
            return $"a GPU, but {nameof(options.Device)} is the CPU";
        }
        if (setting.Float8 && options.DType != ScalarType.BFloat16)
        {
            return $"bfloat16, but option {nameof(options.DType)} is {options.DType}";
        }
        return setting.Float8 && CudaModule.CapabilityOf(Math.Max(0, device.index)) is { Major: < BlockKernels.Float8Capability } found
            ? $"a GPU of compute capability {BlockKernels.Float8Capability}.0 (Hopper) or newer, but {device} has {found.Major}.{found.Minor}"
            : null;
    }

    private static StepRehearsal Rehearsal(
        TrainingSetting setting, Device device, ScalarType dtype, IReadOnlyDictionary<string, (long Rank, float Alpha)> adapted, Canvas canvas,
        LoraTrainingOptions training) => new()
        {
            Setting = setting,
            Device = device,
            DType = dtype,
            Adapted = adapted,
            TrainsCondition = training.InitialAdapterFile is not null || training.Adapter.Condition == ConditionTraining.Whole,
            Dropout = training.AdapterDropout,
            Loop = new TrainingLoopOptions
            {
                Steps = 1,
                PeakLearningRate = training.LearningRate,
                Optimizer = training.Optimizer,
                AccumulationSteps = training.AccumulationSteps,
                AverageDecay = training.AverageDecay,
            },
            ImageTokens = canvas.Tokens,
            TextTokens = training.MaxTextTokens ?? 512,
            BatchSize = training.BatchSize,
        };

    private static TrainingSetting? Named(string? name) => TrainingSetting.All.FirstOrDefault(s => s.Name == name);

    /// <summary>How many numbers learn, and the layers that an adapter lies over, with its ranks there.</summary>
    private static (long Numbers, Dictionary<string, (long Rank, float Alpha)> Layers) Adapted(TrainingLoad load, LoraTrainingOptions training)
    {
        if (training.InitialAdapterFile is not { } file)
        {
            return (
                LoraLayers.CountNumbers(load.Layers, training.Adapter, load.AdapterTargets),
                LoraLayers.Of([.. load.Layers.Keys], training.Adapter, load.AdapterTargets).ToDictionary(a => a.Name, a => (a.Rank, a.Alpha)));
        }
        using SafetensorsFile adapter = SafetensorsFile.Open(file);
        Dictionary<string, (long, float)> layers = [];
        foreach (string name in load.Layers.Keys.Where(n => n != LoraLayers.Condition))
        {
            // Of a factor the shorter side is the rank.
            if (adapter.Entries.FirstOrDefault(e => e.Key.Contains($"{name}.", StringComparison.Ordinal) && e.Value.Shape is { Length: 2 }).Value is { } factor)
            {
                long rank = factor.Shape.Min();
                layers.Add(name, (rank, rank));
            }
        }
        return (adapter.Entries.Values.Sum(e => e.Shape.Aggregate(1L, (a, b) => a * b)), layers);
    }
}
