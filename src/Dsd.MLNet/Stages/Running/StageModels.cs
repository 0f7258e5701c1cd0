using Dsd.Common.Files;
using Dsd.MLNet.FineTuning;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using Dsd.Onnx.Export;
using Dsd.Onnx.Runtime;
using TorchSharp;

namespace Dsd.MLNet.Stages.Running;

/// <summary>The real models: Dsd.Models loads and trains them, Dsd.Onnx exports them. No other file of the stages names either's classes of models.</summary>
internal sealed class StageModels : IStageModels
{
    private StageModels()
    {
    }

    public static IStageModels Real { get; } = new StageModels();

    public bool HasGpu(int number)
    {
        try
        {
            return torch.cuda.is_available() && number < torch.cuda.device_count();
        }
        catch (Exception e) when (e is NotSupportedException or DllNotFoundException or TypeInitializationException)
        {
            return false;
        }
    }

    public void CheckTeacher(GridGeneratorOptions options)
    {
        TextToImageOptions grid = ModelDefaults.Grid(options);
        ModelCheck.Plain(KnownPresets.Folder(options.Model), grid.Width, grid.Height, options.Torch with { Device = Torch(options.Device) });
    }

    public ITextToImageModel OpenTeacher(GridGeneratorOptions options, Action<string> warn) =>
        TextToImagePipeline.Load(KnownPresets.Folder(options.Model), options.Torch with { Device = Torch(options.Device), Warn = warn });

    public void CheckTraining(LoraFineTunerOptions options, string? scratch)
    {
        LoraTrainingOptions training = ModelDefaults.Training(options);
        LoraUse[] start = training.InitialAdapterFile is { } file ? [new LoraUse(file)] : [];
        ModelCheck.Conditional(
            KnownPresets.Folder(options.Model),
            null,
            training.Width,
            training.Height,
            new PipelineOptions { Device = Torch(options.Device), Loras = start, TransformerFile = options.Base.TransformerFile },
            start.Length == 0 ? training.Adapter.Targets : null);
        TrainingModel.Plan(KnownPresets.Folder(options.Model), training, options.Base with { Device = Torch(options.Device) });
        ScratchFolder.Require(scratch);
        if (training.CheckpointFolder is { } checkpoint)
        {
            WritablePlace.RequireFolder(checkpoint);
        }
        if (training.CacheFolder is { } cache)
        {
            WritablePlace.RequireFolder(cache);
        }
    }

    public LoraWeights Train(LoraFineTunerOptions options, TrainingRows rows, StageHost host, CancellationToken cancellationToken)
    {
        LoraTrainingOptions training = ModelDefaults.Training(options);
        TrainingBase source = options.Base with { Device = Torch(options.Device), Warn = host.Warn };
        string folder = KnownPresets.Folder(options.Model);
        TrainingPlan plan = PlanAfterRows(folder, training, source);
        host.Info(
            $"Training a LoRA of '{options.Model}' on {rows.Count} pairs{(rows.HeldOutCount > 0 ? $", {rows.HeldOutCount} more held out" : "")}, "
                + $"on {options.Device ?? "cpu"}, {plan}.");
        TrainingLog log = new(host, plan, source.Device, options.Progress);
        using DiffusionModel model = TrainingModel.Load(folder, plan, source);
        LoraTrainer trainer = new(model, training) { HeldOut = rows.HeldOut, TemporaryFolder = ContextDefaults.TemporaryFolder(host.Environment) };
        using LoraAdapter adapter = trainer.Train(rows.Pairs, log, cancellationToken);
        log.End(trainer.CacheUse!);
        return LoraWeights.Of(adapter, "the trained adapter");
    }

    public void CheckStudent(DsdGeneratorOptions options, bool tuned, string? scratch)
    {
        if (options.Backend is OnnxGeneration onnx)
        {
            CheckExport(options, onnx, scratch);
        }
        string model = KnownPresets.Folder(options.Model);
        DsdOptions frame = ModelDefaults.Frame(options);
        PipelineOptions pipeline = options.Backend is TorchGeneration torch ? torch.Pipeline with { Device = Torch(options.Device) } : new PipelineOptions();
        bool adapted = tuned || pipeline.Loras.Count > 0;
        if (!tuned && ModelDefaults.AdapterFile(options) is { } file)
        {
            adapted = true;
            pipeline = pipeline with { Loras = [new LoraUse(file) { TextEncoders = options.LoraTextEncoders }, .. pipeline.Loras] };
        }
        RequireCondition(options, model, adapted);
        ModelCheck.Conditional(model, options.ReleaseFolder, frame.Width, frame.Height, pipeline);
    }

    public IDsdModel OpenStudent(DsdGeneratorOptions options, TorchGeneration torch, LoraWeights? adapter, Action<string> warn)
    {
        string model = KnownPresets.Folder(options.Model);
        PipelineOptions pipeline = torch.Pipeline with { Device = Torch(options.Device), Warn = warn };
        RequireCondition(options, model, adapter is not null || pipeline.Loras.Count > 0);
        using LoraAdapter? own = adapter?.Open();
        return DsdPipeline.Load(model, options.ReleaseFolder, own is null ? pipeline : pipeline with { Loras = [new LoraUse(own), .. pipeline.Loras] });
    }

    public void Export(DsdGeneratorOptions options, LoraWeights? adapter, string folder, CancellationToken cancellationToken)
    {
        string model = KnownPresets.Folder(options.Model);
        // Said before gigabytes are written.
        RequireCondition(options, model, adapter is not null);
        DsdOptions frame = ModelDefaults.Frame(options);
        OnnxExportOptions export = new()
        {
            ReleaseFolder = options.ReleaseFolder,
            FrameWidth = frame.Width,
            FrameHeight = frame.Height,
            Overwrite = true,
            LoraName = adapter?.ExportName,
        };
        using LoraAdapter? merged = adapter?.Open();
        OnnxExporter.Export(model, merged is null ? null : new LoraUse(merged), folder, export, cancellationToken);
    }

    public string? MergedLora(string folder) =>
        Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && OnnxModelFolder.Open(folder).Adapters.ToArray() is [(var name, 1f)]
            ? name
            : null;

    public IDsdModel OpenExport(string folder, DsdGeneratorOptions options, OnnxGeneration onnx, StageHost host)
    {
        OnnxPipeline pipeline = OnnxPipeline.Open(folder, Runtime(options, onnx) with { Warn = host.Warn });
        if (!pipeline.Folder.IsConditional)
        {
            pipeline.Dispose();
            throw NeedsAdapter(options);
        }
        return new LoggedPipeline(pipeline, host.Info);
    }

    /// <summary>The plan made anew: what drew the rows may hold some of the memory that was free before.</summary>
    private static TrainingPlan PlanAfterRows(string folder, LoraTrainingOptions training, TrainingBase source)
    {
        try
        {
            return TrainingModel.Plan(folder, training, source, PlanSeconds.Chosen).Chosen;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException(
                $"{e.Message} Before the rows were read there was room: what drew them, such as the teacher of a {nameof(GridGenerator)}, holds the GPU's "
                    + "memory now. Let it hold less (option Torch of its stage), or draw into a list first, dispose the stage, and fit on the list.",
                e);
        }
    }

    private static void CheckExport(DsdGeneratorOptions options, OnnxGeneration onnx, string? scratch)
    {
        OnnxPipeline.RequireProvider(Runtime(options, onnx));
        if (onnx.Folder is { } folder)
        {
            OnnxExporter.CheckTarget(folder, new OnnxExportOptions { Overwrite = true });
        }
        else
        {
            ScratchFolder.Require(scratch);
        }
    }

    /// <exception cref="InvalidOperationException">The model is a plain one, and nothing makes it take a reference.</exception>
    private static void RequireCondition(DsdGeneratorOptions options, string model, bool adapted)
    {
        if (!adapted && options.ReleaseFolder is null && !ModelCheck.Traits(model).Condition)
        {
            throw NeedsAdapter(options);
        }
    }

    private static InvalidOperationException NeedsAdapter(DsdGeneratorOptions options) => new(
        $"Model '{options.Model}' takes no reference picture: it is a plain text-to-image model without an adapter that adds one. "
        + $"Put a {nameof(LoraFineTuner)} before the {nameof(DsdGenerator)}, "
        + $"or set the option {nameof(DsdGeneratorOptions.LoraFile)} or {nameof(DsdGeneratorOptions.ReleaseFolder)}.");

    private static OnnxRuntimeOptions Runtime(DsdGeneratorOptions options, OnnxGeneration onnx) => onnx.Runtime.On(options.Device ?? "cpu");

    /// <exception cref="ArgumentException">There is no such device.</exception>
    private static torch.Device? Torch(string? device)
    {
        if (device is null or "cpu")
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
            throw new ArgumentException(
                $"Option {nameof(GridGeneratorOptions.Device)} is '{device}', but this machine has no CUDA device, or this program the libtorch of the CPU. "
                + "Leave the option out to use the CPU.",
                e);
        }
    }
}
