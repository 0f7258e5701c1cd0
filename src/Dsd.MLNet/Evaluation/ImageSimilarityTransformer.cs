using Dsd.Evaluation.Metrics;
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
    typeof(ImageSimilarityTransformer), null, typeof(SignatureLoadModel), "DSD image similarity", ImageSimilarityTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="ImageSimilarity"/>: the similarity of each row's two pictures.</summary>
public sealed class ImageSimilarityTransformer : EmbeddingTransformer
{
    internal const string LoaderSignature = "DsdImageSimilarity";

    internal ImageSimilarityTransformer(IHostEnvironment environment, ImageSimilarityOptions options)
        : base(environment, nameof(ImageSimilarity), options)
    {
        Options = options;
        string[] reads = [options.ReferenceColumn, options.GeneratedColumn];
        string metric = MetricNames.Of(Folder.Kind);
        List<AddedColumn> added = [new(options.SimilarityColumn, NumberDataViewType.Single, reads, EncoderAnnotations.Of(Folder, metric))];
        if (options.CopyPasteColumn is { } copyPaste)
        {
            added.Add(new(copyPaste, NumberDataViewType.Single, reads, EncoderAnnotations.Of(Folder, MetricNames.CopyPaste)));
        }
        if (options.NearCopyColumn is { } nearCopy)
        {
            added.Add(new(nearCopy, BooleanDataViewType.Instance, reads, EncoderAnnotations.Of(Folder, metric)));
        }
        Added = added;
    }

    /// <summary>The options that it was made with.</summary>
    public ImageSimilarityOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage with other options: another device, folder, batch or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <returns>A stage with a network of its own; this one stays as it is.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public ImageSimilarityTransformer With(ImageSimilarityOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ImageSimilarityTransformer(Host.Environment, options);
    }

    private protected override void Check(SchemaShape input)
    {
        ColumnCheck.Image(input, "reference", Options.ReferenceColumn);
        ColumnCheck.Image(input, "generated", Options.GeneratedColumn);
    }

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        Func<Picture> reference = InputReaders.Picture(rows.Row, Options.ReferenceColumn);
        Func<Picture> generated = InputReaders.Picture(rows.Row, Options.GeneratedColumn);
        PerWindow<Outcome<PairSimilarity>> scores = Computed<(Picture, Picture), PairSimilarity>(
            rows, () => (reference(), generated()), out fault, (encoder, pairs, cancel) =>
                PairSimilarity.Of(encoder, pairs, Options.CopyPasteColumn is not null, Options.BatchSize, cancel));
        return column => column == Options.SimilarityColumn ? (ValueGetter<float>)((ref value) => value = (float)Number(s => s.Cosine))
            : column == Options.CopyPasteColumn ? (ValueGetter<float>)((ref value) => value = (float)Number(s => s.CopyPaste!.Value))
            : (ValueGetter<bool>)((ref value) => value = Number(s => s.Cosine) > Options.NearCopyBound);

        double Number(Func<PairSimilarity, double> of) => scores.Current.Error is null ? of(scores.Current.Value) : double.NaN;
    }

    private protected override string Describe() => ModelEntry.Description(nameof(ImageSimilarity), Options with { Device = null, BatchSize = 1 });

    private static VersionInfo Version() => ModelEntry.Version("DSDIMSIM", LoaderSignature, 2);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static ImageSimilarityTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<ImageSimilarityOptions>(context, Version()));
}
