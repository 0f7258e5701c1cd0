using Dsd.Evaluation.Encoders;
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
    /// <param name="manifest">The file that describes it.</param>
    /// <param name="stages">Told which file is read, where that takes time.</param>
    /// <param name="cancellationToken">Checked after each megabyte.</param>
    /// <exception cref="WeightsException">Something is not as it was written; the message says what.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OnnxVerification Verify(string path, string manifest, IProgress<Stage> stages, CancellationToken cancellationToken)
    {
        if (manifest == OnnxFolderReader.EncoderManifest)
        {
            EncoderFolder encoder = EncoderFolder.Open(path);
            return Verify(path, encoder.Files, encoder.CheckHashes, stages, cancellationToken);
        }
        OnnxModelFolder folder = OnnxModelFolder.Open(path);
        return Verify(path, folder.Files, folder.CheckHashes, stages, cancellationToken);
    }

    private static OnnxVerification Verify(
        string path, IReadOnlyDictionary<string, long> files, Action<CancellationToken, IProgress<string>> checkHashes, IProgress<Stage> stages,
        CancellationToken cancellationToken)
    {
        long all = files.Values.Sum();
        long done = 0;
        checkHashes(cancellationToken, new Begun(file =>
        {
            if (files[file] >= ToldOf)
            {
                stages.Report(new Stage(file, (double)done / all));
            }
            done += files[file];
        }));
        int tensors = 0;
        foreach (string model in files.Keys.Where(f => f.EndsWith(".onnx", StringComparison.Ordinal)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string place = model[..(model.LastIndexOf('/') + 1)];
            // A name alone: a model must not lead to the files of another, or out of the folder.
            tensors += OnnxFile.CheckTensors(
                Path.Combine(path, model),
                name => !name.Contains('/') && files.TryGetValue(place + name, out long length) ? length : null);
        }
        return new OnnxVerification(files.Count, all, tensors);
    }

    private sealed class Begun(Action<string> report) : IProgress<string>
    {
        public void Report(string value) => report(value);
    }
}
