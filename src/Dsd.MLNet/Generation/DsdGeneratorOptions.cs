using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Rows;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;

namespace Dsd.MLNet;

/// <summary>How a <see cref="DsdGenerator"/> finds its adapter, exports, draws and names its columns.</summary>
public sealed record DsdGeneratorOptions
{
    /// <summary>
    /// The model that the adapter belongs to: <c>tiny</c>, the default, is the embedded one; anything else the name of another preset
    /// (<see cref="ModelPresets"/>) or a pipeline folder in diffusers' layout.
    /// </summary>
    public string Model { get; init => field = OptionCheck.Text(value, nameof(Model)); } = "tiny";

    /// <summary>
    /// What computes, with the options that only this backend has: <see cref="OnnxGeneration"/>, the default, or <see cref="TorchGeneration"/>.
    /// </summary>
    public GeneratorBackend Backend { get; init => field = value ?? throw new ArgumentNullException(nameof(Backend)); } = new OnnxGeneration();

    /// <summary>
    /// Where to compute: <c>cpu</c>, or <c>cuda</c>, <c>cuda:1</c> and so on. With <see cref="OnnxGeneration"/> also <c>tensorrt</c>,
    /// <c>directml</c>, <c>coreml</c> and <c>webgpu</c>, or several with commas between, each for when those before it cannot be had: <c>cuda,cpu</c>. What
    /// was taken in place of another is a warning in the context's log. Null, the default: the GPU that <c>MLContext.GpuDeviceId</c> names, and the
    /// processor where it names none. Without that GPU, <c>MLContext.FallbackToCpu</c> says whether the processor takes its place or an error is given.
    /// The device that is given here goes before the context's, and is an error where it is missing.
    /// </summary>
    public string? Device { get; init => field = value is null ? null : StageOptionCheck.OnnxDevice(value, nameof(Device)); }

    /// <summary>
    /// A folder in the layout of the published release: <c>transformer/</c> takes the place of the model's, and
    /// <c>pytorch_lora_weights.safetensors</c> is the adapter unless another is given. Null, the default, is none.
    /// </summary>
    public string? ReleaseFolder { get; init => field = OptionCheck.TextOrNull(value, nameof(ReleaseFolder)); }

    /// <summary>
    /// A LoRA file (safetensors; names of diffusers, PEFT, Black Forest Labs or kohya). Null, the default: the one noted at
    /// <see cref="AdapterColumn"/>, else the release folder's, else the preset's own, as the embedded model has one. Refused where the input has an
    /// adapter too.
    /// </summary>
    public string? LoraFile { get; init => field = OptionCheck.TextOrNull(value, nameof(LoraFile)); }

    /// <summary>
    /// What becomes of a part of <see cref="LoraFile"/> that is for text encoders. Default: a file that has one is refused. What is left out is
    /// written to the context's log.
    /// </summary>
    public LoraTextEncoders LoraTextEncoders
    {
        get;
        init => field = OptionCheck.OneOf(value, nameof(LoraTextEncoders), Enum.GetValues<LoraTextEncoders>());
    }

    /// <summary>
    /// The column at which a <see cref="LoraFineTuner"/> noted its adapter, where the input has it. Null looks for none. Default <c>Adapter</c>.
    /// </summary>
    public string? AdapterColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(AdapterColumn)); } = "Adapter";

    /// <summary>
    /// Size, steps and guidance. What is left out, by null or within, is what suits the model: 512 × 512 and 28 steps for a folder. Its
    /// <see cref="DsdOptions.BlockCache"/> must be 0: <see cref="TorchGeneration.BlockCache"/> takes its place.
    /// </summary>
    public DsdOptions? Sampling { get; init; }

    /// <summary>Pictures that are drawn together, 1 to 256. Reading one row then draws those after it too. Default 4.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 256, nameof(BatchSize)); } = 4;

    /// <summary>
    /// Mixed with each row's reference, prompt and <see cref="SeedColumn"/>: the same seed and row start from the same noise, wherever the row stands.
    /// Null, the default: the context's (<c>new MLContext(seed)</c>), and 0 where it has none. A fitted stage keeps the seed that it was fitted with, also when
    /// it is saved. A batch of another size adds in another order, so a picture that is drawn with more or fewer others may differ by rounding, as a rule by
    /// one or two of 255 in some pixels. That concerns another <see cref="BatchSize"/>, the last rows of a view, which may be fewer, and PredictionEngine,
    /// which takes one row at a time.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>
    /// Pictures a prompt, 1 to 1000. With more than 1 each row gives so many, numbered from 0 in <see cref="NumberColumn"/>. The nth starts from the row's seed
    /// plus n, so it is the same however many are asked for. The stage then no longer maps rows one to one, so <c>PredictionEngine</c> refuses it. Default 1.
    /// </summary>
    public int Count { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(Count)); } = 1;

    /// <summary>The added Int64 column with the number of the picture, from 0, where <see cref="Count"/> is more than 1. Default <c>Number</c>.</summary>
    public string NumberColumn { get; init => field = OptionCheck.Text(value, nameof(NumberColumn)); } = "Number";

    /// <summary>What becomes of rows that cannot be drawn because of what they hold. Default <see cref="BadRows.Fail"/>.</summary>
    public BadRows BadRows { get; init => field = OptionCheck.Defined(value, nameof(BadRows)); }

    /// <summary>The added text column that says what is wrong with a row, for <see cref="BadRows.Mark"/>. Default <c>Error</c>.</summary>
    public string ErrorColumn { get; init => field = OptionCheck.Text(value, nameof(ErrorColumn)); } = "Error";

    /// <summary>An Int64 column that tells rows with the same reference and prompt apart. Null, the default, is none.</summary>
    public string? SeedColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(SeedColumn)); }

    /// <summary>
    /// The name of a chat client (<see cref="ChatClients"/>) that writes each prompt again with what it sees of the subject in the reference
    /// (<see cref="Dsd.Curation.Enhancing.PromptEnhancer"/>): <c>tiny</c> is the embedded one, which knows its small world alone. Where it fails the prompt
    /// stays, and a warning says so. Null, the default, is none.
    /// </summary>
    public string? Enhancer { get; init => field = OptionCheck.TextOrNull(value, nameof(Enhancer)); }

    /// <summary>The image column with the subject. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The text column that says what the subject does in the new picture, and where. Default <c>Prompt</c>.</summary>
    public string PromptColumn { get; init => field = OptionCheck.Text(value, nameof(PromptColumn)); } = "Prompt";

    /// <summary>The added image column. Default <c>Generated</c>.</summary>
    public string GeneratedColumn { get; init => field = OptionCheck.Text(value, nameof(GeneratedColumn)); } = "Generated";

    /// <summary>Receives a report after each step of sampling. Not saved.</summary>
    [JsonIgnore]
    public IProgress<SamplingProgress>? Progress { get; init; }

    /// <summary>
    /// Stops the work between two steps, and with <see cref="OnnxGeneration"/> within one. A context that ML.NET cancels, as AutoML does, stops it too. Not
    /// saved.
    /// </summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What becomes of bad rows, and how many rows are made of one.</summary>
    internal RowPolicy Policy => new(BadRows, ErrorColumn, Count, NumberColumn);
}
