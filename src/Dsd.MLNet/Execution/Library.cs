using Dsd.Curation.Grids;
using Dsd.Imaging;
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
        FluxPipeline.Load(TinyModel.Resolve(options.Model), options.Torch.Pipeline(Torch(options.Device), warn));

    /// <summary>The student with TorchSharp: the generator's own adapter and the further ones over the model.</summary>
    public static IDsdModel OpenStudent(DsdGeneratorOptions options, TorchOptions torch, LoraWeights? adapter, Action<string> warn)
    {
        string model = TinyModel.Resolve(options.Model);
        if (adapter is null && torch.Loras.Count == 0 && options.ReleaseFolder is null && !ModelFolder.Open(model).ReadConfig<FluxConfig>("transformer").Conditional)
        {
            throw OnnxBackend.NeedsAdapter(options);
        }
        using ScratchFolder scratch = new("lora");
        PipelineOptions pipeline = torch.Pipeline(Torch(options.Device), warn);
        if (adapter is not null)
        {
            string file = Path.Combine(scratch.Path, $"lora-{adapter.Fingerprint}.safetensors");
            adapter.Save(file);
            pipeline = pipeline with { Loras = [new LoraUse(file) { TextEncoders = LoraTextEncoders.Apply }, .. pipeline.Loras] };
        }
        return DsdPipeline.Load(model, options.ReleaseFolder, pipeline);
    }

    public static GridTemplates Templates(string model) => model == TinyModel.Name ? WorldGridTemplates.Templates : GridTemplates.Default;

    public static IChatClient EmbeddedJudge() => TinyJudge.Load(TinyModel.JudgeFolder);

    public static LoraWeights Train(LoraFineTunerOptions options, IReadOnlyList<TrainingPair> pairs, Action<string> warn, CancellationToken cancellationToken)
    {
        // Made first: a training must not end in a place that cannot be written.
        using ScratchFolder folder = new("lora");
        string file = Path.Combine(folder.Path, "adapter.safetensors");
        using FluxModel model = FluxModel.LoadConditional(TinyModel.Resolve(options.Model), null, new PipelineOptions { Device = Torch(options.Device), Warn = warn });
        using LoraAdapter adapter = new LoraTrainer(model, ModelDefaults.Training(options)).Train(pairs, options.Progress, cancellationToken);
        adapter.Save(file);
        return new LoraWeights(File.ReadAllBytes(file));
    }

    /// <summary>The adapter that options mean when the input has none. It is read here, so that what is wrong with a file is said of that file.</summary>
    public static LoraWeights? DefaultAdapter(DsdGeneratorOptions options, Action<string> warn)
    {
        string? file = options.LoraFile
            ?? (options.ReleaseFolder is { } release ? Path.Combine(release, "pytorch_lora_weights.safetensors") : null)
            ?? (options.Model == TinyModel.Name ? TinyModel.AdapterFile : null);
        if (file is null)
        {
            return null;
        }
        using LoraAdapter adapter = LoraAdapter.Load(file, options.LoraTextEncoders);
        foreach (string remark in adapter.Remarks)
        {
            warn(remark);
        }
        using TemporaryFolder folder = new("dsd-lora");
        string whole = Path.Combine(folder.Path, "adapter.safetensors");
        // Written anew, the file holds what PEFT keeps in another file beside it, and of text encoders what was asked for.
        adapter.Save(whole);
        return new LoraWeights(File.ReadAllBytes(whole));
    }

    // Null is the CPU: torch.device would load the native library even where nothing runs yet.
    private static torch.Device? Torch(string device) => device == "cpu" ? null : torch.device(device);
}
