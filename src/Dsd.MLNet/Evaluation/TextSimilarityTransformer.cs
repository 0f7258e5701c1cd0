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
    typeof(TextSimilarityTransformer), null, typeof(SignatureLoadModel), "DSD text similarity", TextSimilarityTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="TextSimilarity"/>: the similarity of each row's picture and text.</summary>
public sealed class TextSimilarityTransformer : EmbeddingTransformer
{
    internal const string LoaderSignature = "DsdTextSimilarity";

    internal TextSimilarityTransformer(IHostEnvironment environment, TextSimilarityOptions options)
        : base(environment, nameof(TextSimilarity), options)
    {
        if (Folder.TextModel is null)
        {
            throw Folder.WithoutTexts();
        }
        Options = options;
        Added =
        [
            new(
                options.SimilarityColumn, NumberDataViewType.Single, [options.ImageColumn, options.TextColumn],
                EncoderAnnotations.Of(Folder, MetricNames.ClipT)),
        ];
    }

    /// <summary>The options that it was made with.</summary>
    public TextSimilarityOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override void Check(SchemaShape input)
    {
        ColumnCheck.Image(input, "image", Options.ImageColumn);
        ColumnCheck.Text(input, "text", Options.TextColumn);
    }

    private protected override Func<string, Delegate> Open(RowWindow rows)
    {
        Func<Picture> image = InputReaders.Picture(rows.Row, Options.ImageColumn);
        Func<string> text = InputReaders.Text(rows.Row, Options.TextColumn, "what the picture shows");
        PerWindow<double> scores = Computed<(Picture Picture, string Text), double>(rows, () => (image(), text()), (encoder, inputs, cancel) =>
        {
            float[][] pictures = encoder.Encode([.. inputs.Select(i => i.Picture)], Options.BatchSize, cancel);
            float[][] texts = encoder.EncodeTexts([.. inputs.Select(i => i.Text)], Options.BatchSize, cancel);
            return [.. pictures.Zip(texts, (p, t) => Similarity.Cosine(p, t))];
        });
        return _ => (ValueGetter<float>)((ref value) => value = (float)scores.Current);
    }

    private static VersionInfo Version() => ModelEntry.Version("DSDTXSIM", LoaderSignature, 1);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static TextSimilarityTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<TextSimilarityOptions>(context, Version()));
}
