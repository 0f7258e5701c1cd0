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

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage with other options: another device, folder, batch or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <returns>A stage with a network of its own; this one stays as it is.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public ImageEmbeddingTransformer With(ImageEmbeddingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ImageEmbeddingTransformer(Host.Environment, options);
    }

    private protected override void Check(SchemaShape input) => ColumnCheck.Image(input, "image", Options.ImageColumn);

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        PerWindow<Outcome<float[]>> embeddings = Computed<Picture, float[]>(
            rows, InputReaders.Picture(rows.Row, Options.ImageColumn), out fault,
            (encoder, pictures, cancel) => encoder.Encode(pictures, Options.BatchSize, cancel));
        return _ => (ValueGetter<VBuffer<float>>)((ref value) => value = InputReaders.Vector(embeddings.Current, Folder.Width));
    }

    private protected override string Describe() => ModelEntry.Description(nameof(ImageEmbedding), Options with { Device = null, BatchSize = 1 });

    private static VersionInfo Version() => ModelEntry.Version("DSDEMBED", LoaderSignature, 2);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static ImageEmbeddingTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<ImageEmbeddingOptions>(context, Version()));
}
