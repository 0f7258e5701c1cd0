using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>Measuring pictures with an exported encoder: extensions of <c>mlContext.Transforms</c>.</summary>
public static class EncoderCatalog
{
    /// <summary>Turns pictures into the vectors that an encoder sees in them (<see cref="ImageEmbedding"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added column with the vector.</param>
    /// <param name="encoder">The encoder's folder (<see cref="EncoderStageOptions.Encoder"/>).</param>
    /// <param name="inputColumnName">The image column. Null, the default: as the output column.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static ImageEmbedding EmbedImages(this TransformsCatalog catalog, string outputColumnName, string encoder, string? inputColumnName = null) =>
        catalog.EmbedImages(
            new ImageEmbeddingOptions { Encoder = encoder, EmbeddingColumn = outputColumnName, ImageColumn = inputColumnName ?? outputColumnName });

    /// <summary>Turns pictures into the vectors that an encoder sees in them (<see cref="ImageEmbedding"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Encoder, device, columns.</param>
    public static ImageEmbedding EmbedImages(this TransformsCatalog catalog, ImageEmbeddingOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new ImageEmbedding(catalog.GetEnvironment(), options);
    }

    /// <summary>Says how alike two pictures are to an encoder (<see cref="ImageSimilarity"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added column with the similarity, −1 to 1.</param>
    /// <param name="encoder">The encoder's folder (<see cref="EncoderStageOptions.Encoder"/>).</param>
    /// <param name="referenceColumnName">The image column with the subject. Default <c>Reference</c>.</param>
    /// <param name="generatedColumnName">The image column that is compared with it. Default <c>Generated</c>.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static ImageSimilarity CompareImages(
        this TransformsCatalog catalog,
        string outputColumnName,
        string encoder,
        string referenceColumnName = "Reference",
        string generatedColumnName = "Generated") =>
        catalog.CompareImages(new ImageSimilarityOptions
        {
            Encoder = encoder,
            SimilarityColumn = outputColumnName,
            ReferenceColumn = referenceColumnName,
            GeneratedColumn = generatedColumnName,
        });

    /// <summary>Says how alike two pictures are to an encoder (<see cref="ImageSimilarity"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Encoder, device, columns.</param>
    /// <exception cref="ArgumentException">Two of the added columns have one name.</exception>
    public static ImageSimilarity CompareImages(this TransformsCatalog catalog, ImageSimilarityOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new ImageSimilarity(catalog.GetEnvironment(), options);
    }

    /// <summary>Says how well a picture shows what a text says (<see cref="TextSimilarity"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added column with the similarity, −1 to 1.</param>
    /// <param name="encoder">The folder of a CLIP encoder (<see cref="EncoderStageOptions.Encoder"/>).</param>
    /// <param name="imageColumnName">The image column. Default <c>Generated</c>.</param>
    /// <param name="textColumnName">The text column. Default <c>Prompt</c>.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static TextSimilarity CompareImagesWithText(
        this TransformsCatalog catalog, string outputColumnName, string encoder, string imageColumnName = "Generated", string textColumnName = "Prompt") =>
        catalog.CompareImagesWithText(new TextSimilarityOptions
        {
            Encoder = encoder,
            SimilarityColumn = outputColumnName,
            ImageColumn = imageColumnName,
            TextColumn = textColumnName,
        });

    /// <summary>Says how well a picture shows what a text says (<see cref="TextSimilarity"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Encoder, device, columns.</param>
    public static TextSimilarity CompareImagesWithText(this TransformsCatalog catalog, TextSimilarityOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new TextSimilarity(catalog.GetEnvironment(), options);
    }

    /// <summary>Makes of pictures the numbers that an encoder's network takes, for <c>ApplyOnnxModel</c> behind it (<see cref="ImagePixels"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added column: <see cref="Dsd.Evaluation.Encoders.EncoderFolder.PixelsInput"/>, where the network follows.</param>
    /// <param name="encoder">The encoder's folder (<see cref="ImagePixelsOptions.Encoder"/>).</param>
    /// <param name="inputColumnName">The image column. Null, the default: as the output column.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static ImagePixels ExtractEncoderPixels(this TransformsCatalog catalog, string outputColumnName, string encoder, string? inputColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new ImagePixels(
            catalog.GetEnvironment(),
            new ImagePixelsOptions { Encoder = encoder, PixelsColumn = outputColumnName, ImageColumn = inputColumnName ?? outputColumnName });
    }
}
