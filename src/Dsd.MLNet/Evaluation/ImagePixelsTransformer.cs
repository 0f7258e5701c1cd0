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

    private protected override RowPolicy Policy => Options.Policy;

    /// <summary>The same stage with other options: another device, folder, batch or what else is to change where it runs.</summary>
    /// <param name="options">All options, as a rule <c>Options with { … }</c>.</param>
    /// <returns>A stage with a network of its own; this one stays as it is.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public ImagePixelsTransformer With(ImagePixelsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ImagePixelsTransformer(Host.Environment, options);
    }

    private protected override void Check(SchemaShape input) => ColumnCheck.Image(input, "image", Options.ImageColumn);

    private protected override Func<string, Delegate> Open(RowWindow rows, out Func<string?> fault)
    {
        Func<Picture> image = InputReaders.Picture(rows.Row, Options.ImageColumn);
        PerRow<Outcome<Picture>> pictures = new(rows, () => Policy.Try(image));
        PerRow<Outcome<float[]>> numbers = new(rows, () => Outcome.Map<Picture, float[]>([pictures.Current], good =>
        [
            Host.Run(rows, Options.PixelsColumn, cancel =>
            {
                cancel.ThrowIfCancellationRequested();
                return Folder.Preprocessing.Numbers(good[0]);
            }),
        ])[0]);
        fault = () => pictures.Current.Error;
        return _ => (ValueGetter<VBuffer<float>>)((ref value) => value = InputReaders.Vector(numbers.Current, ((VectorDataViewType)Added[0].Type).Size));
    }

    private protected override string Describe() => ModelEntry.Description(nameof(ImagePixels), Options);

    private static VersionInfo Version() => ModelEntry.Version("DSDPIXEL", LoaderSignature, 2);

    private protected override void Save(ModelSaveContext context) => ModelEntry.Save(context, Version(), Options);

    private static ImagePixelsTransformer Create(IHostEnvironment environment, ModelLoadContext context) =>
        new(environment, ModelEntry.Load<ImagePixelsOptions>(context, Version()));
}
