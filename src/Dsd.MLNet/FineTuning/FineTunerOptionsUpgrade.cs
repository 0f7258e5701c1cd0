using System.Text.Json.Nodes;
using Dsd.Models.Lora;
using Dsd.Models.Training;

namespace Dsd.MLNet.FineTuning;

/// <summary>
/// The options of a <see cref="LoraFineTuner"/> as earlier versions saved them: the first with one optimiser, one file for the state, frames that count or
/// do not, and a condition that is trained or is not; both with a largest number of pairs, which were held in memory.
/// </summary>
internal static class FineTunerOptionsUpgrade
{
    // As the options' own JSON has it.
    private const string Kind = "Kind";

    /// <summary>Brings saved options into today's form. Those in today's form stay as they are.</summary>
    public static void Apply(JsonObject options)
    {
        options.Remove("MaxPairs");
        if (options[nameof(LoraFineTunerOptions.Training)] is not JsonObject training)
        {
            return;
        }
        if (training[nameof(LoraTrainingOptions.Optimizer)] is JsonObject optimizer && !optimizer.ContainsKey(Kind))
        {
            optimizer.Insert(0, Kind, "AdamW");
        }
        if (training.ContainsKey("Checkpoint"))
        {
            training[nameof(LoraTrainingOptions.CheckpointFolder)] = Take(training, "Checkpoint");
        }
        if (Take(training, "Frames") is { } frames)
        {
            training[nameof(LoraTrainingOptions.ReferenceWeight)] = frames.GetValue<string>() == "EditOnly" ? 0 : 1;
        }
        if (training[nameof(LoraTrainingOptions.Adapter)] is JsonObject adapter && Take(adapter, "IncludeCondition") is { } included)
        {
            adapter[nameof(LoraOptions.Condition)] = (included.GetValue<bool>() ? ConditionTraining.Whole : ConditionTraining.Frozen).ToString();
        }
    }

    private static JsonNode? Take(JsonObject from, string name)
    {
        JsonNode? node = from[name];
        from.Remove(name);
        return node;
    }
}
