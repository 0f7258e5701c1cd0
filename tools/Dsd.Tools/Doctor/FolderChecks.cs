using Dsd.Common.Files;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using Dsd.Tools.Inspect;

namespace Dsd.Tools.Doctor;

/// <summary>What lies in the folders: files, configs, names and shapes of weights, adapters. Headers alone are read, unless hashes are asked for.</summary>
/// <param name="request">What is looked at.</param>
internal sealed class FolderChecks(DoctorRequest request)
{
    private const string Again = "Fetch the folder again, whole, from where it was published.";

    /// <summary>The checks of files, and the folder's report for those that come after; null where there is no such folder.</summary>
    public (IReadOnlyList<Finding> Findings, FolderReport? Report) Files()
    {
        List<Finding> findings = [];
        FolderReport report;
        try
        {
            report = new FolderReader(request.Folder).Read();
        }
        catch (Exception e) when (e is WeightsException or IOException or UnauthorizedAccessException)
        {
            findings.Add(new Finding("files", Finding.Failed, ErrorText.OneLine(e), $"'--model' names a folder in diffusers' layout. {Again}"));
            return (findings, null);
        }
        if (report.Warnings.Length > 0)
        {
            findings.Add(new Finding("files", Finding.Failed, string.Join("; ", report.Warnings), Again));
        }
        foreach (ComponentReport part in report.Components)
        {
            string name = $"files: {part.Name}";
            findings.Add(part.Warnings.Length > 0
                ? new Finding(name, Finding.Failed, string.Join("; ", part.Warnings), Again)
                : Finding.Well(name, part.Weights is { } weights
                    ? $"{part.ClassName ?? weights.Description}, {Printable.Count(weights.Parameters)} parameters, {Printable.Bytes(weights.Bytes)}"
                    : part.ClassName ?? "there"));
        }
        return (findings, report);
    }

    /// <summary>Whether names, types and shapes are those that the configs describe.</summary>
    public IEnumerable<Finding> Weights()
    {
        IReadOnlyList<(string Part, Exception? Fault)> parts;
        Finding? none = null;
        try
        {
            parts = ModelCheck.Weights(request.Folder, request.Release);
        }
        catch (Exception e) when (Finding.IsFault(e))
        {
            parts = [];
            none = new Finding("weights", Finding.Failed, ErrorText.OneLine(e), Again);
        }
        foreach ((string part, Exception? fault) in parts)
        {
            bool released = part == "transformer" && request.Release is not null;
            string name = $"weights: {part}{(released ? " of the release" : "")}";
            yield return fault is null
                ? Finding.Well(name, "names, types and shapes are those of the config")
                : new Finding(
                    name, Finding.Failed, ErrorText.OneLine(fault),
                    released ? "Fetch the release again, and give its folder as '--dsd'." : $"Config and weights must be of one model. {Again}");
        }
        if (none is not null)
        {
            yield return none;
        }
    }

    /// <summary>Whether adapters fit.</summary>
    public IEnumerable<Finding> Adapters()
    {
        foreach (LoraUse lora in request.Loras)
        {
            string name = $"adapter: {Path.GetFileName(lora.Source)}";
            DsdOptions frame = ModelPresets.Of(request.Model).Frame;
            string? fault = Fault(
                () => ModelCheck.Conditional(request.Folder, request.Release, frame.Width, frame.Height, new PipelineOptions { Loras = [lora] }));
            yield return fault is null
                ? Finding.Well(name, "fits the transformer")
                : new Finding(
                    name, Finding.Failed, fault,
                    "Give an adapter that was made for this model, or '--lora-text' if it has a part for text encoders; 'dsd inspect' says what it holds.");
        }
    }

    /// <summary>The SHA-256 of each file, compared with what Hugging Face's client noted beside it.</summary>
    public IEnumerable<Finding> Hashes(IProgress<Stage> stages, CancellationToken cancel)
    {
        string[] files =
        [
            .. new[] { request.Folder, request.Release }.OfType<string>()
                .SelectMany(f => Directory.EnumerateFiles(f, "*.safetensors", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4 }))
                .Concat(request.Loras.Select(l => l.File).OfType<string>()).Distinct().Order(StringComparer.Ordinal),
        ];
        for (int i = 0; i < files.Length; i++)
        {
            stages.Report(new Stage(files[i], (double)i / files.Length));
            FileHash hash = FileHash.Of(files[i], cancel);
            string name = $"hash: {files[i]}", found = $"SHA-256 {hash.Sha256}, {Printable.Bytes(hash.Length)}";
            yield return Noted(files[i]) is not { } noted
                ? new Finding(name, Finding.Skipped, found, "No hash was noted when it was fetched: compare this one with that of the file's page.")
                : noted == hash.Sha256
                    ? Finding.Well(name, $"{found}, as noted when it was fetched")
                    : new Finding(
                        name, Finding.Failed, $"{found}; when it was fetched {noted} was noted", "The file is damaged or was changed. Fetch it again.");
        }
    }

    /// <summary>
    /// What the client noted: the second line of <c>.cache/huggingface/download/PATH.metadata</c> in the folder that it filled, where that is a SHA-256.
    /// </summary>
    private static string? Noted(string file)
    {
        const int MostBytes = 4096;
        for (string? folder = Path.GetDirectoryName(Path.GetFullPath(file)); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string note = Path.Combine(
                folder, ".cache", "huggingface", "download", $"{Path.GetRelativePath(folder, Path.GetFullPath(file))}.metadata");
            if (File.Exists(note) && new FileInfo(note).Length <= MostBytes)
            {
                string[] lines = File.ReadAllLines(note);
                return lines.Length > 1 && FileHash.IsSha256(lines[1].Trim()) ? lines[1].Trim() : null;
            }
        }
        return null;
    }

    private static string? Fault(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (Exception e) when (Finding.IsFault(e))
        {
            return ErrorText.OneLine(e);
        }
    }
}
