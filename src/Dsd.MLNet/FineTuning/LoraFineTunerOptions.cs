using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.MLNet.Stages;
using Dsd.Models.Families;
using Dsd.Models.Training;

namespace Dsd.MLNet;

/// <summary>How a <see cref="LoraFineTuner"/> trains, and its columns.</summary>
public sealed record LoraFineTunerOptions
{
    /// <summary>
    /// The model that is adapted: <c>tiny</c>, the default, is the embedded one; anything else the name of another preset (<see cref="ModelPresets"/>) or a
    /// pipeline folder in diffusers' layout.
    /// </summary>
    public string Model { get; init => field = OptionCheck.Text(value, nameof(Model)); } = "tiny";

    /// <summary>
    /// Where training runs: <c>cpu</c>, or <c>cuda</c>, <c>cuda:1</c> and so on. Null, the default: the GPU that <c>MLContext.GpuDeviceId</c> names, and the
    /// processor where it names none. Without that GPU, <c>MLContext.FallbackToCpu</c> says whether the processor takes its place or an error is given.
    /// The device that is given here goes before the context's, and is an error where it is missing.
    /// </summary>
    public string? Device { get; init => field = value is null ? null : StageOptionCheck.Device(value, nameof(Device)); }

    /// <summary>
    /// How the base model is held while it is trained over: type, setting (<see cref="Models.Training.Planning.TrainingSetting"/>), memory, and a file of
    /// weights. Default: bfloat16 on a GPU and float32 on the CPU, in the fastest setting that fits what is free when training begins. Device and warnings
    /// are the stage's, so <see cref="TrainingBase.Device"/> and <see cref="TrainingBase.Warn"/> must be null.
    /// </summary>
    public TrainingBase Base { get; init => field = StageOptionCheck.Base(value, nameof(Base)); } = new();

    /// <summary>
    /// Adapter, length and rates. What is left out, by null or within, is what suits the model: 512 × 512 pixels and 1000 steps for a folder; for the embedded
    /// model 100 steps that go on from its own adapter, unless <see cref="LoraTrainingOptions.Adapter"/> asks for a new one. A seed that is left out is the
    /// context's (<c>new MLContext(seed)</c>), where it has one.
    /// </summary>
    public LoraTrainingOptions? Training { get; init; }

    /// <summary>The image column with the subject. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The image column with the target picture: the subject as the prompt describes it. Default <c>Target</c>.</summary>
    public string TargetColumn { get; init => field = OptionCheck.Text(value, nameof(TargetColumn)); } = "Target";

    /// <summary>The text column that says what the target shows. Default <c>Prompt</c>.</summary>
    public string PromptColumn { get; init => field = OptionCheck.Text(value, nameof(PromptColumn)); } = "Prompt";

    /// <summary>A Boolean column, where the input has it: rows in which it is false are not trained on. Null uses every row. Default <c>Kept</c>.</summary>
    public string? KeptColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(KeptColumn)); } = "Kept";

    /// <summary>
    /// A Boolean column: rows in which it is true are not trained on, and their loss is told every <see cref="LoraTrainingOptions.ValidateEvery"/> steps, in
    /// the context's log and in <see cref="TrainingProgress.ValidationLoss"/>. Null, the default, holds none out.
    /// </summary>
    public string? HeldOutColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(HeldOutColumn)); }

    /// <summary>
    /// The added column with the trained adapter (<see cref="LoraWeights"/>), the same in every row and noted at the column too. Default
    /// <c>Adapter</c>.
    /// </summary>
    public string AdapterColumn { get; init => field = OptionCheck.Text(value, nameof(AdapterColumn)); } = "Adapter";

    /// <summary>Receives the reports that the context's log gets too, every <see cref="LoraTrainingOptions.ReportEvery"/> steps. Not saved.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>
    /// Stops reading between two rows, and training between two steps; training writes its checkpoint first. A context that ML.NET cancels, as AutoML
    /// does, stops it too. Not saved.
    /// </summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }
}
