using Dsd.Imaging;
using Dsd.MLNet.FineTuning;
using Dsd.MLNet.Stages.Running;
using Dsd.Models.Sampling;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>
/// Models that only paint: the teacher by prompt and seed, the student by adapter, reference, prompt and seed. The export is one small file. Nothing
/// is checked unless a test says so.
/// </summary>
internal sealed class PaintedModels : IStageModels
{
    public PaintingTeacher Teacher { get; init; } = new();

    public Func<TrainingRows, LoraWeights> Training { get; init; } = _ => new LoraWeights([1, 2, 3]);

    public Action<LoraFineTunerOptions> TrainingCheck { get; init; } = _ => { };

    public Action<DsdGeneratorOptions, bool> StudentCheck { get; init; } = (_, _) => { };

    public List<string> Exports { get; } = [];

    public List<PaintingStudent> Opened { get; } = [];

    /// <summary>How many GPUs there are.</summary>
    public int Gpus { get; init; }

    /// <summary>The devices that models were opened on or trained on.</summary>
    public List<string?> Devices { get; } = [];

    public bool HasGpu(int number) => number < Gpus;

    public void CheckTeacher(GridGeneratorOptions options)
    {
    }

    public ITextToImageModel OpenTeacher(GridGeneratorOptions options, Action<string> warn)
    {
        Devices.Add(options.Device);
        return Teacher;
    }

    public void CheckTraining(LoraFineTunerOptions options, string? scratch) => TrainingCheck(options);

    public LoraWeights Train(LoraFineTunerOptions options, TrainingRows rows, StageHost host, CancellationToken cancellationToken)
    {
        Devices.Add(options.Device);
        return Training(rows);
    }

    public void CheckStudent(DsdGeneratorOptions options, bool tuned, string? scratch) => StudentCheck(options, tuned);

    public IDsdModel OpenStudent(DsdGeneratorOptions options, TorchGeneration torch, LoraWeights? adapter, Action<string> warn)
    {
        Devices.Add(options.Device);
        return Painting(adapter?.ExportName ?? "");
    }

    public void Export(DsdGeneratorOptions options, LoraWeights? adapter, string folder, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "lora.txt"), adapter?.ExportName ?? "");
        Exports.Add(folder);
    }

    public string? MergedLora(string folder)
    {
        string file = Path.Combine(folder, "lora.txt");
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }

    public IDsdModel OpenExport(string folder, DsdGeneratorOptions options, OnnxGeneration onnx, StageHost host)
    {
        Devices.Add(options.Device);
        return Painting(MergedLora(folder) ?? throw new FileNotFoundException("No export.", folder));
    }

    private PaintingStudent Painting(string adapter)
    {
        Opened.Add(new PaintingStudent(adapter));
        return Opened[^1];
    }
}

internal sealed class PaintingStudent(string adapter) : IDsdModel
{
    public List<IReadOnlyList<DsdRequest>> Batches { get; } = [];

    public bool Disposed { get; private set; }

    public IReadOnlyList<Picture> Generate(
        IReadOnlyList<DsdRequest> requests, DsdOptions options, IProgress<SamplingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Batches.Add(requests);
        cancellationToken.ThrowIfCancellationRequested();
        return [.. requests.Select(r => PaintingTeacher.Paint($"{adapter} {r.Prompt} {r.Reference.Pixels[0]}", r.Seed, options.Width, options.Height))];
    }

    public void Dispose() => Disposed = true;
}
