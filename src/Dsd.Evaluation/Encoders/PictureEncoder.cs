using Dsd.Common.Options;
using Dsd.Evaluation.Networks;
using Dsd.Evaluation.Pictures;
using Dsd.Imaging;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Runtime;

namespace Dsd.Evaluation.Encoders;

/// <summary>
/// An exported encoder that ONNX Runtime runs: pictures, and for CLIP texts, become vectors. Their cosine is the similarity. CSD's have length 1; others do
/// not. Safe for use from several threads.
/// </summary>
public sealed class PictureEncoder : IPictureEncoder
{
    private const int MostBatch = 1024;

    private readonly OnnxRuntimeOptions _options;
    private readonly OnnxNetwork _image;
    private readonly Lazy<(OnnxNetwork Network, ClipTokenizer Tokenizer)>? _text;

    private PictureEncoder(EncoderFolder folder, OnnxRuntimeOptions options)
    {
        (Folder, _options) = (folder, options);
        _image = OnnxNetwork.Open(folder.ImageModel, options);
        if (folder.TextModel is { } text)
        {
            _text = new(() => (OnnxNetwork.Open(text, options), ClipTokenizer.Load(folder.Tokenizer!)));
        }
    }

    /// <summary>What was opened.</summary>
    public EncoderFolder Folder { get; }

    /// <summary>Opens an encoder's folder. The network for texts is opened when it is first used.</summary>
    /// <param name="folder">What <see cref="EncoderExporter"/> wrote.</param>
    /// <param name="options">Where to compute; null is the processor.</param>
    /// <exception cref="WeightsException">The folder is none, or a file is missing, cut short or wrong.</exception>
    /// <exception cref="NotSupportedException">None of the providers can be had here; the message says why and what to do.</exception>
    public static PictureEncoder Open(string folder, OnnxRuntimeOptions? options = null) =>
        new(EncoderFolder.Open(folder), options ?? new OnnxRuntimeOptions());

    /// <summary>The embeddings of pictures, in their order.</summary>
    /// <param name="pictures">The pictures, of any size.</param>
    /// <param name="batch">How many are computed at once, 1 to 1024: memory for time.</param>
    /// <param name="cancellationToken">Ends the work between two nodes of the network.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime could not run the network, or it gave what are no numbers.</exception>
    public float[][] Encode(IReadOnlyList<Picture> pictures, int batch = 16, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        OptionCheck.Range(batch, 1, MostBatch, nameof(batch));
        PicturePreprocessing preprocessing = Folder.Preprocessing;
        int numbers = 3 * preprocessing.Height * preprocessing.Width;
        List<float[]> embeddings = new(pictures.Count);
        for (int first = 0; first < pictures.Count; first += batch)
        {
            int begin = first;
            int count = Math.Min(batch, pictures.Count - first);
            float[] pixels = new float[checked(count * numbers)];
            Parallel.For(
                0, count, new ParallelOptions { CancellationToken = cancellationToken },
                i => preprocessing.Write(pictures[begin + i], pixels.AsSpan(i * numbers, numbers)));
            embeddings.AddRange(EncodeNumbers(pixels, count, cancellationToken));
        }
        return [.. embeddings];
    }

    /// <summary>
    /// The embeddings of texts, in their order. Longer texts than the network takes are cut off, and <see cref="OnnxRuntimeOptions.Warn"/> is told.
    /// </summary>
    /// <param name="texts">The texts; they may be empty.</param>
    /// <param name="batch">How many are computed at once, 1 to 1024.</param>
    /// <param name="cancellationToken">Ends the work between two nodes of the network.</param>
    /// <exception cref="NotSupportedException">The encoder has no network for texts.</exception>
    public float[][] EncodeTexts(IReadOnlyList<string> texts, int batch = 64, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        OptionCheck.Range(batch, 1, MostBatch, nameof(batch));
        if (_text is null)
        {
            throw Folder.WithoutTexts();
        }
        (OnnxNetwork network, ClipTokenizer tokenizer) = _text.Value;
        int tokens = Folder.TextTokens!.Value;
        List<float[]> embeddings = new(texts.Count);
        foreach (string[] some in texts.Chunk(batch))
        {
            long[] ids = [.. some.SelectMany(Ids)];
            using OnnxTensor input = OnnxTensor.Of(ids, some.Length, tokens);
            using OnnxTensor output = network.Run(VisionLayers.Ids, input, VisionLayers.Embedding, cancellationToken);
            embeddings.AddRange(Rows(output, some.Length, Folder.TextModel!));
        }
        return [.. embeddings];

        long[] Ids(string text)
        {
            long[] ids = tokenizer.Encode(text, tokens, out bool truncated);
            if (truncated)
            {
                _options.Warn?.Invoke(Folder.CutOff(text));
            }
            return ids;
        }
    }

    /// <summary>The embeddings of pictures that were preprocessed already: [count, 3, height, width].</summary>
    internal float[][] EncodeNumbers(float[] pixels, int count, CancellationToken cancellationToken = default)
    {
        using OnnxTensor input = OnnxTensor.Of(pixels, count, 3, Folder.Preprocessing.Height, Folder.Preprocessing.Width);
        using OnnxTensor output = _image.Run(VisionLayers.Pixels, input, VisionLayers.Embedding, cancellationToken);
        return Rows(output, count, Folder.ImageModel);
    }

    /// <summary>Closes the networks.</summary>
    public void Dispose()
    {
        _image.Dispose();
        if (_text is { IsValueCreated: true })
        {
            _text.Value.Network.Dispose();
        }
    }

    private float[][] Rows(OnnxTensor output, int count, string file)
    {
        if (!output.Shape.SequenceEqual([count, Folder.Width]))
        {
            throw new InvalidOperationException(
                $"'{file}': expected {count} × {Folder.Width} numbers, found [{string.Join(", ", output.Shape)}]. Export the encoder again.");
        }
        float[][] rows = [.. output.Floats.ToArray().Chunk(Folder.Width)];
        return rows.All(row => row.All(float.IsFinite))
            ? rows
            : throw new InvalidOperationException($"'{file}': the network gave NaN or infinity. Its weights are damaged: fetch them and export them again.");
    }
}
