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

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage with other options: another device, folder, batch or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <returns>A stage with a network of its own; this one stays as it is.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public TextSimilarityTransformer With(TextSimilarityOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new TextSimilarityTransformer(Host.Environment, options);
    }

    private protected override void Check(SchemaShape input)
    {
        ColumnCheck.Image(input, "image", Options.ImageColumn);
        ColumnCheck.Text(input, "text", Options.TextColumn);
    }

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        Func<Picture> image = InputReaders.Picture(rows.Row, Options.ImageColumn);
        Func<string> text = InputReaders.Text(rows.Row, Options.TextColumn, "what the picture shows");
        Func<(Picture Picture, string Text)> read = () => (image(), text());
        PerWindow<Outcome<double>> scores = Computed<(Picture Picture, string Text), double>(rows, read, out fault, (encoder, inputs, cancel) =>
        {
            float[][] pictures = encoder.Encode([.. inputs.Select(i => i.Picture)], Options.BatchSize, cancel);
            float[][] texts = encoder.EncodeTexts([.. inputs.Select(i => i.Text)], Options.BatchSize, cancel);
            return [.. pictures.Zip(texts, (p, t) => Similarity.Cosine(p, t))];
        });
        return _ => (ValueGetter<float>)((ref value) => value = scores.Current.Error is null ? (float)scores.Current.Value : float.NaN);
    }

    private protected override string Describe() => ModelEntry.Description(nameof(TextSimilarity), Options with { Device = null, BatchSize = 1 });

    private static VersionInfo Version() => ModelEntry.Version("DSDTXSIM", LoaderSignature, 2);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static TextSimilarityTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<TextSimilarityOptions>(context, Version()));
}
