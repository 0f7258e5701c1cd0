using Dsd.MLNet.FineTuning;
using Dsd.Models.Sampling;

namespace Dsd.MLNet.Stages.Running;

/// <summary>The models behind the stages: what checks, loads, trains and exports them. Tests put their own in the place of <see cref="StageModels"/>.</summary>
internal interface IStageModels
{
    /// <summary>Whether this machine has the CUDA device of this number.</summary>
    bool HasGpu(int number);

    /// <summary>Refuses options with which the teacher could not be loaded, or could not draw. Only headers are read.</summary>
    void CheckTeacher(GridGeneratorOptions options);

    /// <summary>The model that draws grids.</summary>
    ITextToImageModel OpenTeacher(GridGeneratorOptions options, Action<string> warn);

    /// <summary>Refuses options with which training could not begin, or its state not be kept. Only headers are read.</summary>
    /// <param name="options">The options.</param>
    /// <param name="scratch">The folder for scratch files. Null is the system's.</param>
    void CheckTraining(LoraFineTunerOptions options, string? scratch = null);

    /// <summary>Trains an adapter. What it foresees, how it goes and what it took is told to the stage's log.</summary>
    LoraWeights Train(LoraFineTunerOptions options, TrainingRows rows, StageHost host, CancellationToken cancellationToken);

    /// <summary>Refuses options with which the student could not be loaded or exported, or could not draw. Only headers are read.</summary>
    /// <param name="options">The options.</param>
    /// <param name="tuned">Whether the input brings an adapter.</param>
    /// <param name="scratch">The folder for scratch files. Null is the system's.</param>
    void CheckStudent(DsdGeneratorOptions options, bool tuned, string? scratch = null);

    /// <summary>The student with TorchSharp: the generator's own adapter and the further ones over the model.</summary>
    IDsdModel OpenStudent(DsdGeneratorOptions options, TorchGeneration torch, LoraWeights? adapter, Action<string> warn);

    /// <summary>Writes the student as ONNX models into a folder, whole or not at all. An earlier export there is replaced.</summary>
    void Export(DsdGeneratorOptions options, LoraWeights? adapter, string folder, CancellationToken cancellationToken);

    /// <summary>
    /// The name of the LoRA that a folder's export has merged (<see cref="LoraWeights.ExportName"/>). Null where there is no export, or another number of
    /// adapters in it than one.
    /// </summary>
    string? MergedLora(string folder);

    /// <summary>The student of an export, with ONNX Runtime. Where it computes, and what it warns of, is told to the stage's log.</summary>
    IDsdModel OpenExport(string folder, DsdGeneratorOptions options, OnnxGeneration onnx, StageHost host);
}
