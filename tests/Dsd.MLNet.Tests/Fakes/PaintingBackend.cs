using Dsd.Imaging;
using Dsd.MLNet.Execution;
using Dsd.Models.Sampling;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>Writes one small file as the export, and paints pictures that depend on it, the reference, the prompt and the seed.</summary>
internal sealed class PaintingBackend : IOnnxBackend
{
    public List<string> Exports { get; } = [];

    public List<PaintingStudent> Opened { get; } = [];

    public void Check(DsdGeneratorOptions options, bool tuned)
    {
    }

    public void Export(DsdGeneratorOptions options, string? loraFile, string folder, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "lora.txt"), Path.GetFileName(loraFile) ?? "");
        Exports.Add(folder);
    }

    public string? MergedLora(string folder)
    {
        string file = Path.Combine(folder, "lora.txt");
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }

    public IDsdModel Open(string folder, DsdGeneratorOptions options, Action<string> warn)
    {
        PaintingStudent student = new(MergedLora(folder) ?? throw new FileNotFoundException("No export.", folder));
        Opened.Add(student);
        return student;
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
