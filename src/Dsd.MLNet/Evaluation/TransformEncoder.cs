using Dsd.Evaluation.Encoders;
using Dsd.Imaging;
using Dsd.Models.Text;
using Dsd.Onnx.Runtime;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;

namespace Dsd.MLNet.Evaluation;

/// <summary>An encoder that ML.NET's <c>ApplyOnnxModel</c> runs, a row at a time. For one thread at a time.</summary>
internal sealed class TransformEncoder : IPictureEncoder
{
    private readonly OnnxRuntimeOptions _runtime;
    private readonly Lazy<Network<PixelRow>> _image;
    private readonly Lazy<(Network<IdRow> Network, ClipTokenizer Tokenizer)>? _text;
    private readonly Action<string> _warn;

    /// <summary>An encoder whose networks are loaded when they are first used.</summary>
    /// <param name="folder">The encoder, with its weights inside.</param>
    /// <param name="runtime">Where to compute: the processor, or CUDA, or CUDA and else the processor.</param>
    /// <param name="warn">Told when a text is cut off.</param>
    public TransformEncoder(EncoderFolder folder, OnnxRuntimeOptions runtime, Action<string> warn)
    {
        (Folder, _runtime, _warn) = (folder, runtime, warn);
        _image = new(() => new Network<PixelRow>(
            folder.ImageModel, EncoderFolder.PixelsInput, runtime,
            new VectorDataViewType(NumberDataViewType.Single, 3, folder.Preprocessing.Height, folder.Preprocessing.Width)));
        if (folder is { TextModel: { } text, Tokenizer: { } tokenizer, TextTokens: { } tokens })
        {
            _text = new(() => (
                new Network<IdRow>(text, EncoderFolder.IdsInput, runtime, new VectorDataViewType(NumberDataViewType.Int64, tokens)),
                ClipTokenizer.Load(tokenizer)));
        }
    }

    public EncoderFolder Folder { get; }

    public float[][] Encode(IReadOnlyList<Picture> pictures, int batch = 16, CancellationToken cancellationToken = default) =>
        Each(pictures, cancellationToken, picture => _image.Value.Score(new PixelRow { Pixels = Folder.Preprocessing.Numbers(picture) }, Folder.Width));

    public float[][] EncodeTexts(IReadOnlyList<string> texts, int batch = 64, CancellationToken cancellationToken = default)
    {
        if (_text is null)
        {
            throw Folder.WithoutTexts();
        }
        (Network<IdRow> network, ClipTokenizer tokenizer) = _text.Value;
        return Each(texts, cancellationToken, text =>
        {
            long[] ids = tokenizer.Encode(text, Folder.TextTokens!.Value, out bool truncated);
            if (truncated)
            {
                _warn(Folder.CutOff(text));
            }
            return network.Score(new IdRow { Ids = ids }, Folder.Width);
        });
    }

    public void Dispose()
    {
        if (_image.IsValueCreated)
        {
            _image.Value.Dispose();
        }
        if (_text is { IsValueCreated: true })
        {
            _text.Value.Network.Dispose();
        }
    }

    private static float[][] Each<T>(IReadOnlyList<T> inputs, CancellationToken cancel, Func<T, float[]> score)
    {
        float[][] embeddings = new float[inputs.Count][];
        for (int i = 0; i < embeddings.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            embeddings[i] = score(inputs[i]);
        }
        return embeddings;
    }

    /// <summary>One network as a fitted transform, and what puts single rows through it.</summary>
    private sealed class Network<TRow> : IDisposable
        where TRow : class, new()
    {
        private readonly string _file;
        private readonly OnnxTransformer _transformer;
        private readonly PredictionEngine<TRow, EmbeddingRow> _engine;

        public Network(string file, string input, OnnxRuntimeOptions runtime, DataViewType type)
        {
            MLContext ml = new();
            SchemaDefinition schema = SchemaDefinition.Create(typeof(TRow));
            schema[input].ColumnType = type;
            _file = file;
            int? gpu = runtime.Providers.Contains(OnnxProvider.Cuda) ? runtime.Device : null;
            bool fallBack = gpu is null || runtime.Providers.Contains(OnnxProvider.Cpu);
            _transformer = ml.Transforms.ApplyOnnxModel(EncoderFolder.EmbeddingOutput, input, file, gpu, fallBack)
                .Fit(ml.Data.LoadFromEnumerable(Array.Empty<TRow>(), schema));
            _engine = ml.Model.CreatePredictionEngine<TRow, EmbeddingRow>(_transformer, inputSchemaDefinition: schema);
        }

        public float[] Score(TRow row, int width)
        {
            float[] embedding = _engine.Predict(row).Embedding;
            return embedding.Length == width && embedding.All(float.IsFinite)
                ? embedding
                : throw new InvalidOperationException(
                    $"'{_file}': expected {width} numbers, found {embedding.Length}, or NaN or infinity among them. Export the encoder again.");
        }

        public void Dispose()
        {
            _engine.Dispose();
            _transformer.Dispose();
        }
    }

    private sealed class PixelRow
    {
        [ColumnName(EncoderFolder.PixelsInput)]
        public float[] Pixels { get; set; } = [];
    }

    private sealed class IdRow
    {
        [ColumnName(EncoderFolder.IdsInput)]
        public long[] Ids { get; set; } = [];
    }

    private sealed class EmbeddingRow
    {
        [ColumnName(EncoderFolder.EmbeddingOutput)]
        public float[] Embedding { get; set; } = [];
    }
}
