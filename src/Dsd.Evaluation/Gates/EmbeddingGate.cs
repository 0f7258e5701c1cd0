using Dsd.Curation.Judging;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;
using Dsd.Onnx.Runtime;

namespace Dsd.Evaluation.Gates;

/// <summary>
/// A gate before a judge that compares the pictures' embeddings: their cosine is the similarity. Safe for use from several threads. A picture that comes in
/// several pairs, as the panels of a grid do, is encoded once.
/// </summary>
public sealed class EmbeddingGate : IPairGate, IDisposable
{
    private const int Shown = 8;
    private readonly EmbeddingMemo _encoder;

    /// <summary>A gate with an encoder, which it owns from now on.</summary>
    public EmbeddingGate(IPictureEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        _encoder = new EmbeddingMemo(encoder);
        // Another export is another gate, even of the same name: its numbers may be others.
        string print = encoder.Folder.Fingerprint;
        Name = $"{MetricNames.Of(encoder.Folder.Kind)}:{encoder.Folder.Source}:{(print.Length > Shown ? print[..Shown] : print)}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Opens an exported encoder as a gate.</summary>
    /// <param name="folder">What <see cref="EncoderExporter"/> wrote.</param>
    /// <param name="options">Where to compute; null is the processor.</param>
    /// <exception cref="Models.Weights.WeightsException">The folder is none, or a file is missing, cut short or wrong.</exception>
    /// <exception cref="NotSupportedException">None of the providers can be had here.</exception>
    public static EmbeddingGate Open(string folder, OnnxRuntimeOptions? options = null) => new(PictureEncoder.Open(folder, options));

    /// <inheritdoc/>
    public Task<double> SimilarityAsync(Picture a, Picture b, CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            float[][] embeddings = _encoder.Encode([a, b], cancellationToken: cancellationToken);
            return Similarity.Cosine(embeddings[0], embeddings[1]);
        },
        cancellationToken);

    /// <summary>Closes the encoder.</summary>
    public void Dispose() => _encoder.Dispose();
}
