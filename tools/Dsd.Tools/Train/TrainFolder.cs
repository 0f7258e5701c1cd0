using Dsd.Common.Files;

namespace Dsd.Tools.Train;

/// <summary>What lies in a run's folder.</summary>
/// <param name="path">The folder.</param>
internal sealed class TrainFolder(string path)
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

    /// <summary>Pictures that were drawn at the end.</summary>
    public string Samples => Path.Combine(path, "samples.png");

    /// <summary>Whether a run has a result or a state here, so that its options are bound.</summary>
    public bool HasState => File.Exists(Adapter)
        || (Directory.Exists(Path.Combine(path, Checkpoints)) && Directory.EnumerateFiles(Path.Combine(path, Checkpoints), "*.safetensors").Any());

    /// <summary>Refuses a place that cannot be written, and a folder that holds something else.</summary>
    /// <exception cref="IOException">It is one of these.</exception>
    public void Check()
    {
        OutputFile.CheckFolder(path);
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
        foreach (string probe in Directory.EnumerateFiles(path).Where(OutputFile.IsProbe))
        {
            File.Delete(probe);
        }
        // Other folders of caches are shared, and another run may be writing there.
        foreach (string folder in new[] { path, Path.Combine(path, Cache) })
        {
            AtomicFile.RemoveHalfWritten(folder, inner: folder != path);
        }
    }

    private static bool IsLeftOver(string file) => AtomicFile.IsHalfWritten(file) || OutputFile.IsProbe(file);
}
