using Dsd.Common.Files;
using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;
using TorchSharp;

namespace Dsd.MLNet.Execution;

/// <summary>Where the estimators meet the libraries that do the work.</summary>
internal static class Library
{
    public static IOnnxBackend Onnx { get; } = new OnnxBackend();

    public static ITextToImageModel OpenTeacher(GridGeneratorOptions options, Action<string> warn) =>
        TextToImagePipeline.Load(TinyModel.Resolve(options.Model), options.Torch.Pipeline(Torch(options.Device), warn));

    /// <summary>Refuses options with which the teacher could not be loaded, or could not draw. Only headers are read.</summary>
    public static void CheckTeacher(GridGeneratorOptions options)
    {
        TextToImageOptions sheet = ModelDefaults.Sheet(options);
        ModelCheck.Plain(TinyModel.Resolve(options.Model), sheet.Width, sheet.Height, options.Torch.Pipeline(Torch(options.Device), _ => { }));
    }

    /// <summary>Refuses options with which training could not begin, or its state not be kept. Only headers are read.</summary>
    public static void CheckTuner(LoraFineTunerOptions options)
    {
        // The trained adapter passes through a file: a training must not end in a place that cannot be written.
        ScratchFolder.Require();
        LoraTrainingOptions training = ModelDefaults.Training(options);
        LoraUse[] start = training.InitialAdapterFile is { } file ? [new LoraUse(file)] : [];
        ModelCheck.Conditional(
            TinyModel.Resolve(options.Model),
            null,
            training.Width,
            training.Height,
            new PipelineOptions { Device = Torch(options.Device), Loras = start },
            start.Length == 0 ? training.Adapter.Targets : null);
        if (training.Checkpoint is { } checkpoint)
        {
            WritablePlace.Require(checkpoint);
        }
    }

    /// <summary>Refuses options with which the student could not be loaded, or could not draw. Only headers are read.</summary>
    /// <param name="options">The options.</param>
    /// <param name="tuned">Whether the input brings an adapter.</param>
    public static void CheckStudent(DsdGeneratorOptions options, bool tuned)
    {
        string model = TinyModel.Resolve(options.Model);
        DsdOptions frame = ModelDefaults.Frame(options);
        PipelineOptions pipeline = options.Torch?.Pipeline(Torch(options.Device), _ => { }) ?? new PipelineOptions();
        bool adapted = tuned || pipeline.Loras.Count > 0;
        if (!tuned && DefaultAdapterFile(options) is { } file)
        {
            adapted = true;
            pipeline = pipeline with { Loras = [new LoraUse(file) { TextEncoders = options.LoraTextEncoders }, .. pipeline.Loras] };
        }
        RequireCondition(options, model, adapted);
        ModelCheck.Conditional(model, options.ReleaseFolder, frame.Width, frame.Height, pipeline);
    }

    /// <summary>The student with TorchSharp: the generator's own adapter and the further ones over the model.</summary>
    public static IDsdModel OpenStudent(DsdGeneratorOptions options, TorchOptions torch, LoraWeights? adapter, Action<string> warn)
    {
        string model = TinyModel.Resolve(options.Model);
        RequireCondition(options, model, adapter is not null || torch.Loras.Count > 0);
        PipelineOptions pipeline = torch.Pipeline(Torch(options.Device), warn);
        return adapter is null
            ? DsdPipeline.Load(model, options.ReleaseFolder, pipeline)
            : AdapterFile.Use(adapter, file => DsdPipeline.Load(model, options.ReleaseFolder, pipeline with { Loras = [new LoraUse(file) { TextEncoders = LoraTextEncoders.Apply }, .. pipeline.Loras] }));
    }

    /// <exception cref="InvalidOperationException">The model is a plain one, and nothing makes it take a reference.</exception>
    public static void RequireCondition(DsdGeneratorOptions options, string model, bool adapted)
    {
        if (!adapted && options.ReleaseFolder is null && !ModelCheck.Traits(model).Condition)
        {
            throw OnnxBackend.NeedsAdapter(options);
        }
    }

    public static GridTemplates Templates(string model) => model == TinyModel.Name ? WorldGridTemplates.Templates : GridTemplates.Default;

    public static IChatClient EmbeddedJudge() => TinyJudge.Load(TinyModel.JudgeFolder);

    public static LoraWeights Train(LoraFineTunerOptions options, IReadOnlyList<TrainingPair> pairs, Action<string> warn, CancellationToken cancellationToken)
    {
        using DiffusionModel model = DiffusionModel.LoadConditional(TinyModel.Resolve(options.Model), null, new PipelineOptions { Device = Torch(options.Device), Warn = warn });
        using LoraAdapter adapter = new LoraTrainer(model, ModelDefaults.Training(options)).Train(pairs, options.Progress, cancellationToken);
        return AdapterFile.Keep(adapter, "the trained adapter");
    }

    /// <summary>The adapter that options mean when the input has none.</summary>
    public static LoraWeights? DefaultAdapter(DsdGeneratorOptions options, Action<string> warn) =>
        DefaultAdapterFile(options) is { } file ? AdapterFile.Read(file, options.LoraTextEncoders, warn) : null;

    private static string? DefaultAdapterFile(DsdGeneratorOptions options) => options.LoraFile
        ?? (options.ReleaseFolder is { } release ? Path.Combine(release, "pytorch_lora_weights.safetensors") : null)
        ?? (options.Model == TinyModel.Name ? TinyModel.AdapterFile : null);

    /// <exception cref="ArgumentException">There is no such device.</exception>
    private static torch.Device? Torch(string device)
    {
        if (device == "cpu")
        {
            // Null is the CPU: torch.device would load the native library even where nothing runs yet.
            return null;
        }
        try
        {
            return torch.device(device);
        }
        catch (Exception e) when (e is InvalidOperationException or NotSupportedException or DllNotFoundException or TypeInitializationException)
        {
            throw new ArgumentException($"Option {nameof(GridGeneratorOptions.Device)} is '{device}', but this machine has no CUDA device, or this program the libtorch of the CPU. Leave the option out to use the CPU.", e);
        }
    }
}
