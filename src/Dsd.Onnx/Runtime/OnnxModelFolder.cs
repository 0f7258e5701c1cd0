using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Runtime;

/// <summary>A folder that <see cref="Export.OnnxExporter"/> wrote, checked: every file that its <c>dsd.json</c> lists is there in full length.</summary>
public sealed class OnnxModelFolder
{
    private static readonly string[] Components = ["transformer", "vae_encoder", "vae_decoder"];

    private OnnxModelFolder(string path, OnnxManifest manifest)
    {
        Path = path;
        Manifest = manifest;
    }

    /// <summary>The folder, as it was given.</summary>
    public string Path { get; }

    /// <summary>
    /// Whether the models are a student, which draws from a reference; otherwise they draw from text alone, unless they take adapters and one brings what a
    /// student has.
    /// </summary>
    public bool IsConditional => Manifest is { Conditional: true, ConditionFromAdapters: false };

    /// <summary>Whether the transformer takes the distilled guidance.</summary>
    public bool TakesGuidance => Manifest.Guidance;

    /// <summary>The precision of the weights.</summary>
    public ExportPrecision Precision => Manifest.Precision;

    /// <summary>For which runtimes the graphs are.</summary>
    public GraphTarget Graphs => Manifest.Graphs;

    /// <summary>Whether the transformer takes one row at a time.</summary>
    public bool RunsOneRow => Manifest.RunsOneRow;

    /// <summary>Width of a frame in pixels that the models are meant for.</summary>
    public int FrameWidth => Manifest.FrameWidth;

    /// <summary>Height of a frame in pixels that the models are meant for.</summary>
    public int FrameHeight => Manifest.FrameHeight;

    /// <summary>The adapters that were merged: the name of each file, and its strength. A second of the same name has a number behind it.</summary>
    public IReadOnlyDictionary<string, float> Adapters => Manifest.Adapters;

    /// <summary>Whether adapters can be given from picture to picture: <see cref="OnnxPipeline.WithAdapters"/>.</summary>
    public bool TakesAdapters => Manifest.TakesAdapters;

    /// <summary>The files and their lengths in bytes, by path within the folder.</summary>
    public IReadOnlyDictionary<string, long> Files => Manifest.Files;

    /// <summary>The SHA-256 of each of the <see cref="Files"/>, in hexadecimal digits.</summary>
    public IReadOnlyDictionary<string, string> Hashes => Manifest.Sha256;

    /// <summary>What the models were made of.</summary>
    public OnnxSource Source => Manifest.Source;

    /// <summary>The version of the tool that wrote the folder.</summary>
    public string ToolVersion => Manifest.ToolVersion;

    internal OnnxManifest Manifest { get; }

    /// <summary>Opens and checks an ONNX folder.</summary>
    /// <exception cref="WeightsException">It is none, was written by another version, or a file is missing or cut short.</exception>
    public static OnnxModelFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OnnxManifest manifest = OnnxManifest.Read(path);
        foreach (string component in Components)
        {
            if (!manifest.Files.ContainsKey($"{component}/{ModelWriter.ModelFile}"))
            {
                throw new WeightsException(
                    System.IO.Path.Combine(path, OnnxManifest.FileName),
                    $"'{component}/{ModelWriter.ModelFile}' among its files",
                    "it missing. Export the model again");
            }
        }
        return new OnnxModelFolder(path, manifest);
    }

    /// <summary>
    /// Reads every file and compares it with its hash, which <see cref="Open"/> does not: it takes as long as reading the folder.
    /// </summary>
    /// <param name="cancellationToken">Checked after each megabyte.</param>
    /// <param name="progress">Told the name of each file before it is read.</param>
    /// <exception cref="WeightsException">A file is not what was written.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public void CheckHashes(CancellationToken cancellationToken = default, IProgress<string>? progress = null) =>
        Manifest.CheckHashes(Path, cancellationToken, progress);

    /// <summary>The family of the model, such as <c>flux</c>.</summary>
    public string Family => Manifest.Family;

    internal string ModelFile(string component) => System.IO.Path.Combine(Path, component, ModelWriter.ModelFile);

    /// <summary>The folder of a part.</summary>
    public string Folder(string component) => System.IO.Path.Combine(Path, component);
}
