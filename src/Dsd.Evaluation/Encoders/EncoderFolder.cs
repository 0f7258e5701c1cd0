using Dsd.Common.Files;
using Dsd.Evaluation.Networks;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Weights;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Encoders;

/// <summary>
/// A folder that <see cref="EncoderExporter"/> wrote, checked: <c>image_encoder/model.onnx</c>, for CLIP also <c>text_encoder/model.onnx</c> and
/// <c>tokenizer</c>, and an <c>encoder.json</c> that says what becomes of a picture before the network.
/// </summary>
public sealed class EncoderFolder
{
    /// <summary>The input of <see cref="ImageModel"/>.</summary>
    public const string PixelsInput = VisionLayers.Pixels;

    /// <summary>The input of <see cref="TextModel"/>.</summary>
    public const string IdsInput = VisionLayers.Ids;

    /// <summary>The output of both networks.</summary>
    public const string EmbeddingOutput = VisionLayers.Embedding;

    internal const string ImagePart = "image_encoder";
    internal const string TextPart = "text_encoder";
    internal const string TokenizerPart = "tokenizer";

    private readonly EncoderManifest _manifest;

    private EncoderFolder(string path, EncoderManifest manifest) => (Path, _manifest) = (path, manifest);

    /// <summary>The folder, as it was given.</summary>
    public string Path { get; }

    /// <summary>What the encoder is.</summary>
    public EncoderKind Kind => _manifest.Kind;

    /// <summary>Numbers of an embedding.</summary>
    public int Width => _manifest.Width;

    /// <summary>What becomes of a picture before the network.</summary>
    public PicturePreprocessing Preprocessing => _manifest.Preprocessing;

    /// <summary>Ids of a text; null where texts are not encoded.</summary>
    public int? TextTokens => _manifest.TextTokens;

    /// <summary>The name of what was exported.</summary>
    public string Source => _manifest.Source;

    /// <summary>The length of each file in bytes, by its path within the folder.</summary>
    public IReadOnlyDictionary<string, long> Files => _manifest.Files;

    /// <summary>The SHA-256 of each file, by its path within the folder, in hexadecimal digits.</summary>
    public IReadOnlyDictionary<string, string> Hashes => _manifest.Sha256;

    /// <summary>What tells this encoder from any other: the SHA-256 of its description, which has the hash of every file in it.</summary>
    public string Fingerprint { get; private init; } = "";

    /// <summary>
    /// The network for pictures: input <c>pixel_values</c> [batch, 3, height, width] in single precision, output <c>embedding</c> [batch, width].
    /// </summary>
    public string ImageModel => System.IO.Path.Combine(Path, ImagePart, ModelWriter.ModelFile);

    /// <summary>
    /// The network for texts: input <c>input_ids</c> [batch, <see cref="TextTokens"/>] in 64 bits, output <c>embedding</c> [batch, width]; null where there is
    /// none.
    /// </summary>
    public string? TextModel => TextTokens is null ? null : System.IO.Path.Combine(Path, TextPart, ModelWriter.ModelFile);

    /// <summary>
    /// The folder of the tokenizer that makes ids of texts, which <see cref="Models.Text.ClipTokenizer"/> loads; null where texts are not encoded.
    /// </summary>
    public string? Tokenizer => TextTokens is null ? null : System.IO.Path.Combine(Path, TokenizerPart);

    /// <summary>Whether the networks' files hold their weights themselves. Beyond 1.5 GB the weights lie beside them.</summary>
    public bool WeightsAreInside => !_manifest.Files.Keys.Any(f => System.IO.Path.GetFileName(f).StartsWith(ModelWriter.DataFile, StringComparison.Ordinal));

    /// <summary>What to throw where texts are to be encoded, and <see cref="TextModel"/> is null.</summary>
    public NotSupportedException WithoutTexts() => new($"The encoder '{Path}' is {Kind}, which has no network for texts. Use {EncoderKind.Clip}.");

    /// <summary>What to warn of where a text has more than <see cref="TextTokens"/> tokens.</summary>
    public string CutOff(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return $"A text of more than {TextTokens} tokens was cut off: '{(text.Length > 60 ? text[..60] + "…" : text)}'.";
    }

    /// <summary>Opens and checks an encoder's folder.</summary>
    /// <exception cref="WeightsException">It is none, was written by another version, or a file is missing or cut short.</exception>
    public static EncoderFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        EncoderManifest manifest = EncoderManifest.Read(path);
        foreach (string part in manifest.TextTokens is null ? new[] { ImagePart } : [ImagePart, TextPart])
        {
            if (!manifest.Files.ContainsKey($"{part}/{ModelWriter.ModelFile}"))
            {
                throw new WeightsException(
                    System.IO.Path.Combine(path, EncoderManifest.FileName), $"'{part}/{ModelWriter.ModelFile}' among its files",
                    "it missing. Export the encoder again");
            }
        }
        return new EncoderFolder(path, manifest) { Fingerprint = FileHash.Of(System.IO.Path.Combine(path, EncoderManifest.FileName)).Sha256 };
    }

    /// <summary>Reads every file and compares it with its hash, which <see cref="Open"/> does not.</summary>
    /// <param name="cancellationToken">Checked after each megabyte.</param>
    /// <param name="progress">Told the path of each file within the folder before it is read.</param>
    /// <exception cref="WeightsException">A file is not what was written.</exception>
    public void CheckHashes(CancellationToken cancellationToken = default, IProgress<string>? progress = null)
    {
        foreach ((string name, string hash) in _manifest.Sha256)
        {
            progress?.Report(name);
            string file = System.IO.Path.Combine(Path, name);
            FileHash found = FileHash.Of(file, cancellationToken);
            if (found.Sha256 != hash)
            {
                throw new WeightsException(
                    file, $"SHA-256 {hash}, as '{EncoderManifest.FileName}' says",
                    $"{found.Sha256}: the file was damaged or changed. Export the encoder again");
            }
        }
    }
}
