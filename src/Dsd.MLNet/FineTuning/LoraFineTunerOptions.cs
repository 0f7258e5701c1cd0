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

    /// <summary>Where training runs: <c>cpu</c>, the default, or <c>cuda</c>, <c>cuda:1</c> and so on.</summary>
    public string Device { get; init => field = StageOptionCheck.Device(value, nameof(Device)); } = "cpu";

    /// <summary>
    /// Adapter, length and rates. Null, the default: what suits the model, 512 × 512 pixels and 1000 steps for a folder; for the embedded model 100
    /// steps that go on from its own adapter.
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

    /// <summary>The most pairs that are taken; they are held in memory. 1 to 10,000,000, default 100,000. More is an error.</summary>
    public int MaxPairs { get; init => field = OptionCheck.Range(value, 1, 10_000_000, nameof(MaxPairs)); } = 100_000;

    /// <summary>
    /// The added column with the trained adapter (<see cref="LoraWeights"/>), the same in every row and noted at the column too. Default
    /// <c>Adapter</c>.
    /// </summary>
    public string AdapterColumn { get; init => field = OptionCheck.Text(value, nameof(AdapterColumn)); } = "Adapter";

    /// <summary>Receives reports during training. Not saved.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Stops training between two steps. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }
}
