using Dsd.Evaluation.Encoders;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests.Evaluation;

/// <summary>The code that the docs show of the stages that measure pictures, compiled and run.</summary>
public sealed class EvaluationSamples
{
    private readonly MLContext _ml = new(1);

    [Theory]
    [InlineData("mlnet.md", 0)]
    [InlineData("stages/image-pixels.md", 1)]
    public void TheDocs_ShowCodeThatIsCompiled(string page, int block)
    {
        string docs = File.ReadAllText(Path.Combine(Fixtures.Repository, "docs", page));
        string source = File.ReadAllText(Path.Combine(Fixtures.Repository, "tests", "Dsd.MLNet.Tests", "Evaluation", "EvaluationSamples.cs"));
        string compiled = source.Split("// shown in" + " docs")[1 + 2 * block]
            .Replace("TestEncoders.Folder(\"clip\")", "\"encoders/clip\"").Replace("TestEncoders.Folder(\"dinov2\")", "\"encoders/dinov2\"")
            .Replace("_ml", "ml");
        Assert.Contains(docs.Split("```csharp")[1..], shown => Lines(shown.Split("```")[0]).SequenceEqual(Lines(compiled)));
    }

    [Fact]
    public void Measuring_AddsItsColumns()
    {
        IDataView pairs = Views.Pairs(_ml, true, true);

        // shown in docs
        ImageSimilarityOptions images = new() { Encoder = TestEncoders.Folder("dinov2"), GeneratedColumn = "Target", NearCopyColumn = "NearCopy" };
        TextSimilarityOptions texts = new() { Encoder = TestEncoders.Folder("clip"), ImageColumn = "Target" };
        IDataView measured = new ImageSimilarity(_ml, images).Append(new TextSimilarity(_ml, texts)).Fit(pairs).Transform(pairs);
        float dino = measured.GetColumn<float>("Similarity").Average();
        float clipT = measured.GetColumn<float>("TextSimilarity").Average();
        // shown in docs

        Assert.InRange(dino, -1f, 1f);
        Assert.InRange(clipT, -1f, 1f);
        Assert.NotNull(measured.Schema.GetColumnOrNull("NearCopy"));
    }

    [Fact]
    public void AChain_WithMLNetsOwnTransform()
    {
        IDataView pairs = Views.Pairs(_ml, true, true);

        // shown in docs
        EncoderFolder clip = EncoderFolder.Open(TestEncoders.Folder("clip"));
        var chain = new ImagePixels(_ml, new ImagePixelsOptions { Encoder = clip.Path, ImageColumn = "Target" })
            .Append(_ml.Transforms.ApplyOnnxModel(EncoderFolder.EmbeddingOutput, EncoderFolder.PixelsInput, clip.ImageModel));
        float[][] embeddings = [.. chain.Fit(pairs).Transform(pairs).GetColumn<float[]>(EncoderFolder.EmbeddingOutput)];
        // shown in docs

        Assert.All(embeddings, e => Assert.Equal(clip.Width, e.Length));
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
