using Dsd.Evaluation.Pictures;
using Dsd.Imaging;
using Dsd.MLNet;
using Dsd.MLNet.Evaluation;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Saving;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(ImagePixelsTransformer), null, typeof(SignatureLoadModel), "DSD image pixels", ImagePixelsTransformer.LoaderSignature)]

namespace Dsd.MLNet;

/// <summary>The fitted <see cref="ImagePixels"/>: the numbers that a network takes of each picture.</summary>
public sealed class ImagePixelsTransformer : EncoderTransformer
{
    internal const string LoaderSignature = "DsdImagePixels";

    internal ImagePixelsTransformer(IHostEnvironment environment, ImagePixelsOptions options)
        : base(environment, nameof(ImagePixels), options.Encoder, options.CancellationToken)
    {
        Options = options;
        PicturePreprocessing size = Folder.Preprocessing;
        VectorDataViewType type = new(NumberDataViewType.Single, 3, size.Height, size.Width);
        Added = [new(options.PixelsColumn, type, [options.ImageColumn], EncoderAnnotations.Of(Folder))];
    }

    /// <summary>The options that it was made with.</summary>
    public ImagePixelsOptions Options { get; }

    private protected override IReadOnlyList<AddedColumn> Added { get; }

    private protected override void Check(SchemaShape input) => ColumnCheck.Image(input, "image", Options.ImageColumn);

    private protected override Func<string, Delegate> Open(RowWindow rows)
    {
        Func<Picture> image = InputReaders.Picture(rows.Row, Options.ImageColumn);
        PerRow<float[]> numbers = new(rows, () =>
        {
            Picture picture = image();
            return Host.Run(rows, Options.PixelsColumn, cancel =>
            {
                cancel.ThrowIfCancellationRequested();
                return Folder.Preprocessing.Numbers(picture);
            });
        });
        return _ => (ValueGetter<VBuffer<float>>)((ref value) => value = new VBuffer<float>(numbers.Current.Length, [.. numbers.Current]));
    }

    private static VersionInfo Version() => ModelEntry.Version("DSDPIXEL", LoaderSignature, 1);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static ImagePixelsTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<ImagePixelsOptions>(context, Version()));
}
