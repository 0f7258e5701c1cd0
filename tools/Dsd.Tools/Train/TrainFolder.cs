using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.Common.Files;

namespace Dsd.Tools.Train;

/// <summary>What lies in a run's folder.</summary>
/// <param name="path">The folder.</param>
internal sealed partial class TrainFolder(string path)
{
    /// <summary>The folder of checkpoints, within the run's.</summary>
    public const string Checkpoints = "checkpoints";

    /// <summary>The folder of encoded pictures and prompts, unless another is named.</summary>
    public const string Cache = "cache";

    /// <summary>The folder itself.</summary>
    public string Root => path;

    /// <summary>The trained adapter.</summary>
    public string Adapter => Path.Combine(path, "pytorch_lora_weights.safetensors");

    /// <summary>Options, plan, versions, and whether the run is finished.</summary>
    public string Record => Path.Combine(path, "train.json");

    /// <summary>One line for each report.</summary>
    public string Log => Path.Combine(path, "log.jsonl");

    /// <summary>Event files for TensorBoard.</summary>
    public string TensorBoard => Path.Combine(path, "tensorboard");

    /// <summary>The page at the end.</summary>
    public string Report => Path.Combine(path, "report.html");

    /// <summary>The folder of pictures that were drawn, a sheet for each look.</summary>
    public string Samples => Path.Combine(path, "samples");

    /// <summary>The sheets that are there, by the steps taken.</summary>
    public IReadOnlyList<(long Step, string File)> Sheets =>
    [
        .. (Directory.Exists(Samples) ? Directory.EnumerateFiles(Samples) : [])
            .Select(file => (Match: SheetName().Match(Path.GetFileName(file)), File: file))
            .Where(f => f.Match.Success)
            .Select(f => (long.Parse(f.Match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), f.File))
            .OrderBy(f => f.Item1),
    ];

    /// <summary>Whether a run has a result or a state here, so that its options are bound.</summary>
    public bool HasState => File.Exists(Adapter)
        || (Directory.Exists(Path.Combine(path, Checkpoints)) && Directory.EnumerateFiles(Path.Combine(path, Checkpoints), "*.safetensors").Any());

    /// <summary>Refuses a place that cannot be written, and a folder that holds something else.</summary>
    /// <exception cref="IOException">It is one of these.</exception>
    public void Check()
    {
        WritablePlace.RequireFolder(path);
        if (Directory.Exists(path) && !File.Exists(Record) && Directory.EnumerateFileSystemEntries(path).FirstOrDefault(e => !IsLeftOver(e)) is { } other)
        {
            throw new IOException(
                $"Cannot train in '{path}': it holds '{Path.GetFileName(other)}', and no {Path.GetFileName(Record)} of an earlier run. Choose an empty or new "
                    + "folder.");
        }
    }

    /// <summary>Removes what an earlier process had begun to write when it was killed. Only for the one that works in the folder.</summary>
    public void RemoveLeftOver()
    {
        foreach (string probe in Directory.EnumerateFiles(path).Where(WritablePlace.IsProbe))
        {
            File.Delete(probe);
        }
        // Other folders of caches are shared, and another run may be writing there.
        foreach (string folder in new[] { path, Samples, Path.Combine(path, Cache) })
        {
            AtomicFile.RemoveHalfWritten(folder, inner: folder != path);
        }
    }

    /// <summary>The sheet of a step.</summary>
    public string Sheet(long step) => Path.Combine(Samples, string.Create(CultureInfo.InvariantCulture, $"step-{step:000000}.png"));

    [GeneratedRegex(@"\Astep-([0-9]{6,18})\.png\z", RegexOptions.CultureInvariant)]
    private static partial Regex SheetName();

    private static bool IsLeftOver(string file) => AtomicFile.IsHalfWritten(file) || WritablePlace.IsProbe(file);
}
