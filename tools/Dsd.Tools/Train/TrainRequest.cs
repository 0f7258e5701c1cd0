using Dsd.Dataset.Formats;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Training;

namespace Dsd.Tools.Train;

/// <summary>What a command line asks for, checked as far as it can be by itself.</summary>
internal sealed record TrainRequest
{
    /// <summary>The model, by the name or folder that was given.</summary>
    public required ModelPreset Model { get; init; }

    /// <summary>Datasets of pairs to train on; none where a plan alone is asked for.</summary>
    public required IReadOnlyList<string> Pairs { get; init; }

    /// <summary>How they are read.</summary>
    public required PairDatasetOptions Columns { get; init; }

    /// <summary>A dataset of held-out pairs; null for none.</summary>
    public string? Validate { get; init; }

    /// <summary>The split of it.</summary>
    public string? ValidateSplit { get; init; }

    /// <summary>The run's folder; null where a plan alone is asked for.</summary>
    public string? Out { get; init; }

    /// <summary>How to train.</summary>
    public required LoraTrainingOptions Training { get; init; }

    /// <summary>How the base model is loaded.</summary>
    public required TrainingBase Base { get; init; }

    /// <summary>The device, as it was given.</summary>
    public required string Device { get; init; }

    /// <summary>Processes to start on this machine, one a GPU; 1 is this one alone.</summary>
    public required int Gpus { get; init; }

    /// <summary>Whose names the adapter's file has.</summary>
    public required LoraNames Names { get; init; }

    /// <summary>Prompts to draw.</summary>
    public required IReadOnlyList<string> Samples { get; init; }

    /// <summary>The reference to draw them from; null for none.</summary>
    public string? SampleReference { get; init; }

    /// <summary>Steps between two drawings of them; null draws them at the end alone.</summary>
    public long? SampleEvery { get; init; }
}
