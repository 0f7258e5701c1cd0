using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.MLNet.Evaluation;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Saving;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(
    typeof(ImageEmbeddingTransformer), null, typeof(SignatureLoadModel), "DSD image embedding", ImageEmbeddingTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="ImageEmbedding"/>: the embedding of each picture.</summary>
public sealed class ImageEmbeddingTransformer : EmbeddingTransformer
{
    internal const string LoaderSignature = "DsdImageEmbedding";

    internal ImageEmbeddingTransformer(IHostEnvironment environment, ImageEmbeddingOptions options)
        : base(environment, nameof(ImageEmbedding), options)
    {
        Options = options;
        Added =
        [
            new(
                options.EmbeddingColumn, new VectorDataViewType(NumberDataViewType.Single, Folder.Width), [options.ImageColumn], EncoderAnnotations.Of(Folder)),
        ];
    }

    /// <summary>The options that it was made with.</summary>
    public ImageEmbeddingOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override void Check(SchemaShape input) => ColumnCheck.Image(input, "image", Options.ImageColumn);

    private protected override Func<string, Delegate> Open(RowWindow rows)
    {
        PerWindow<float[]> embeddings = Computed<Picture, float[]>(
            rows, InputReaders.Picture(rows.Row, Options.ImageColumn), (encoder, pictures, cancel) => encoder.Encode(pictures, Options.BatchSize, cancel));
        return _ => (ValueGetter<VBuffer<float>>)((ref value) => value = new VBuffer<float>(Folder.Width, [.. embeddings.Current]));
    }

    private static VersionInfo Version() => ModelEntry.Version("DSDEMBED", LoaderSignature, 1);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static ImageEmbeddingTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<ImageEmbeddingOptions>(context, Version()));
}
