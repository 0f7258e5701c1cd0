using Dsd.Models.Weights;
using Dsd.Onnx.Runtime;

namespace Dsd.Tools.Inspect;

/// <summary>Compares a folder of exported ONNX models with what it says about itself: lengths, hashes, and where weights lie.</summary>
internal static class OnnxFolderVerifier
{
    // Shorter files are read before anybody asks what goes on.
    private const long ToldOf = 100_000_000;

    /// <summary>Reads every file.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="stages">Told which file is read, where that takes time.</param>
    /// <param name="cancellationToken">Checked after each megabyte.</param>
    /// <exception cref="WeightsException">Something is not as it was written; the message says what.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OnnxVerification Verify(string path, IProgress<Stage> stages, CancellationToken cancellationToken)
    {
        OnnxModelFolder folder = OnnxModelFolder.Open(path);
        long all = folder.Files.Values.Sum();
        long done = 0;
        folder.CheckHashes(cancellationToken, new Begun(file =>
        {
            if (folder.Files[file] >= ToldOf)
            {
                stages.Report(new Stage(file, (double)done / all));
            }
            done += folder.Files[file];
        }));
        int tensors = 0;
        foreach (string model in folder.Files.Keys.Where(f => f.EndsWith(".onnx", StringComparison.Ordinal)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string place = model[..(model.LastIndexOf('/') + 1)];
            // A name alone: a model must not lead to the files of another, or out of the folder.
            tensors += OnnxFile.CheckTensors(
                Path.Combine(path, model),
                name => !name.Contains('/') && folder.Files.TryGetValue(place + name, out long length) ? length : null);
        }
        return new OnnxVerification(folder.Files.Count, all, tensors);
    }

    private sealed class Begun(Action<string> report) : IProgress<string>
    {
        public void Report(string value) => report(value);
    }
}
