using Dsd.Common.Files;
using Dsd.Models.Weights;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Encoders;

/// <summary>Writes a published encoder as ONNX, straight from its files and without Python.</summary>
public static class EncoderExporter
{
    private const long MostTokenizerBytes = 64_000_000;

    // What CLIP's tokenizer is read from.
    private static readonly string[] TokenizerFiles =
        ["tokenizer_config.json", "tokenizer.json", "vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json"];

    /// <summary>
    /// Exports CLIP, DINO, DINOv2 or CSD. Networks are in single precision with their weights inside, up to 1.5 GB; larger ones have them in a file beside. The
    /// same input gives the same bytes, and the target appears whole or not at all.
    /// </summary>
    /// <param name="fileOrFolder">
    /// A model's folder in transformers' layout (CLIP, DINO, DINOv2), or CSD's weights, in a folder or as a file: safetensors, or as PyTorch saves them.
    /// </param>
    /// <param name="outFolder">The folder to write: absent, empty, or an earlier export if <see cref="EncoderExportOptions.Overwrite"/> is set.</param>
    /// <param name="options">How; null is the defaults.</param>
    /// <param name="cancellationToken">Checked between pieces of weights.</param>
    /// <param name="progress">Told the name of each part before it is written.</param>
    /// <exception cref="WeightsException">
    /// It is none of these encoders, or a file is missing, damaged, or does not fit its config; all tensors that do not fit are listed.
    /// </exception>
    /// <exception cref="ArgumentException">The options contradict what is exported.</exception>
    /// <exception cref="IOException">The target cannot be written, or holds something else.</exception>
    /// <exception cref="OperationCanceledException">The export was cancelled; nothing is left of it.</exception>
    public static void Export(
        string fileOrFolder, string outFolder, EncoderExportOptions? options = null, CancellationToken cancellationToken = default,
        IProgress<string>? progress = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileOrFolder);
        ArgumentException.ThrowIfNullOrEmpty(outFolder);
        options ??= new EncoderExportOptions();
        (PublishedEncoder encoder, ITensorSource source) = PublishedEncoder.Open(fileOrFolder, options);
        using ITensorSource opened = source;
        CheckpointWeights weights = new(source, encoder.Prefix);
        GraphBuilder image = encoder.Image(weights);
        GraphBuilder? text = encoder.Text?.Build(weights);
        weights.Check(encoder.Belongs);
        AtomicFolder.Write(outFolder, folder => CheckReplaceable(folder, options.Overwrite), target =>
        {
            HashedFolder folder = new(target);
            Write(EncoderFolder.ImagePart, image);
            if (encoder.Text is { } tower)
            {
                Write(EncoderFolder.TextPart, text!);
                CopyTokenizer(tower.TokenizerFolder, folder.Inner(EncoderFolder.TokenizerPart));
            }
            Describe(encoder, Name(fileOrFolder), folder).Write(target);

            void Write(string part, GraphBuilder graph)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report(part);
                ModelWriter.Write(graph, folder.Inner(part), cancellationToken);
            }
        });
    }

    private static EncoderManifest Describe(PublishedEncoder encoder, string source, HashedFolder folder) => new()
    {
        FormatVersion = EncoderManifest.Version,
        Kind = encoder.Kind,
        Width = encoder.Width,
        TextTokens = encoder.Text?.Tokens,
        Preprocessing = encoder.Preprocessing,
        Source = source,
        ToolVersion = typeof(EncoderExporter).Assembly.GetName().Version?.ToString(3) ?? "",
        Files = folder.Files.ToDictionary(f => f.Key, f => f.Value.Length),
        Sha256 = folder.Files.ToDictionary(f => f.Key, f => f.Value.Sha256),
    };

    private static void CopyTokenizer(string from, HashedFolder to)
    {
        foreach (string file in TokenizerFiles.Select(f => Path.Combine(from, f)).Where(File.Exists))
        {
            long length = new FileInfo(file).Length;
            if (length > MostTokenizerBytes)
            {
                throw new WeightsException(file, $"at most {MostTokenizerBytes} bytes", $"{length}");
            }
            to.Copy(file);
        }
    }

    private static void CheckReplaceable(string folder, bool overwrite)
    {
        bool isExport = File.Exists(Path.Combine(folder, EncoderManifest.FileName));
        if (!isExport || !overwrite)
        {
            throw new IOException(
                $"Cannot write the encoder's folder '{folder}': "
                    + (isExport
                        ? $"an earlier export stands there. Set {nameof(EncoderExportOptions.Overwrite)} to replace it, or choose another folder."
                        : $"it holds other files, and no {EncoderManifest.FileName} of an earlier export. Choose an empty or new folder."));
        }
    }

    private static string Name(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}
