using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.LoadApp;

/// <summary>Chains of one stage of Dsd.MLNet and ML.NET's <c>ApplyOnnxModel</c>, in a process where nothing else has used either.</summary>
internal static class OnnxChain
{
    private const int Side = 32;

    /// <summary>Makes a chain in one method, and runs it where it can be without a model.</summary>
    /// <param name="order">Which stage is made first.</param>
    /// <param name="encoder">The folder of an exported encoder.</param>
    /// <param name="model">Its image model.</param>
    public static void Run(string order, string encoder, string model)
    {
        switch (order)
        {
            case "ours-first":
                OursFirst(encoder, model);
                break;
            case "onnx-first":
                OnnxFirst(encoder, model);
                break;
            default:
                GeneratorFirst(model);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OursFirst(string encoder, string model)
    {
        MLContext ml = new();
        IEstimator<ITransformer> chain = new ImagePixels(ml, new ImagePixelsOptions { Encoder = encoder, ImageColumn = "Image" })
            .Append(ml.Transforms.ApplyOnnxModel("embedding", "pixel_values", model));
        Console.WriteLine($"numbers: {Embedding(ml, chain, Rows(ml))}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OnnxFirst(string encoder, string model)
    {
        MLContext ml = new();
        IEstimator<ITransformer> chain = ml.Transforms.ApplyOnnxModel("embedding", "pixel_values", model)
            .Append(new ImageEmbedding(ml, new ImageEmbeddingOptions { Encoder = encoder, ImageColumn = "Image", EmbeddingColumn = "Own" }));
        IDataView pixels = new ImagePixels(ml, new ImagePixelsOptions { Encoder = encoder, ImageColumn = "Image" }).Fit(Rows(ml)).Transform(Rows(ml));
        Console.WriteLine($"numbers: {Embedding(ml, chain, pixels)}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GeneratorFirst(string model)
    {
        MLContext ml = new();
        DsdGenerator generator = new(ml);
        IEstimator<ITransformer> onnx = ml.Transforms.ApplyOnnxModel("embedding", "pixel_values", model);
        Console.WriteLine($"stages: {new object[] { generator, onnx }.Length}");
    }

    private static int Embedding(MLContext ml, IEstimator<ITransformer> chain, IDataView rows) =>
        chain.Fit(rows).Transform(rows).GetColumn<float[]>("embedding").Single().Length;

    private static IDataView Rows(MLContext ml) =>
        ml.Data.LoadFromEnumerable([new ImageRow { Image = MLImage.CreateFromPixels(Side, Side, MLPixelFormat.Rgba32, new byte[4 * Side * Side]) }]);

    private sealed class ImageRow
    {
        [Microsoft.ML.Transforms.Image.ImageType(Side, Side)]
        public MLImage Image { get; set; } = null!;
    }
}
