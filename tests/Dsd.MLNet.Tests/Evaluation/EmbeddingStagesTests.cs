using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Metrics;
using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Dsd.Models.Weights;
using Dsd.Onnx.Runtime;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.Tests.Evaluation;

/// <summary>The stages that measure pictures give what the encoder gives, whatever runs it.</summary>
public sealed class EmbeddingStagesTests
{
    private const double Close = 1e-5;
    private static readonly Picture[] Pictures = [Pngs.Noisy(90, 70), Views.Picture(3, 64), Pngs.Noisy(64, 200)];
    private readonly MLContext _ml = new(1);

    public static TheoryData<string> Encoders => TestEncoders.Names;

    [Theory]
    [MemberData(nameof(Encoders))]
    public void AChainWithApplyOnnxModel_GivesTheEncodersEmbedding(string name)
    {
        EncoderFolder folder = EncoderFolder.Open(TestEncoders.Folder(name));
        IDataView data = Rows();
        IEstimator<ITransformer> chain = new ImagePixels(_ml, new ImagePixelsOptions { Encoder = folder.Path, ImageColumn = "Reference" })
            .Append(_ml.Transforms.ApplyOnnxModel(EncoderFolder.EmbeddingOutput, EncoderFolder.PixelsInput, folder.ImageModel));

        float[][] found = [.. chain.Fit(data).Transform(data).GetColumn<float[]>(EncoderFolder.EmbeddingOutput)];

        AreClose(Direct(name), found);
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public void ImageEmbedding_IsThatOfTheEncoder_WhateverRunsIt(string name) => Assert.All(
        [EmbeddingScoring.OnnxTransformer, EmbeddingScoring.OnnxRuntime],
        scoring =>
        {
            ImageEmbeddingOptions options = new() { Encoder = TestEncoders.Folder(name), ImageColumn = "Reference", Scoring = scoring, BatchSize = 2 };
            using ImageEmbeddingTransformer fitted = new ImageEmbedding(_ml, options).Fit(Rows());

            Assert.Equal(scoring, fitted.Scoring);
            AreClose(Direct(name), [.. fitted.Transform(Rows()).GetColumn<float[]>("Embedding")]);
        });

    [Fact]
    public void ImageSimilarity_IsTheCosine_AndTellsCopies()
    {
        ImageSimilarityOptions options = new() { Encoder = TestEncoders.Folder("dinov2"), CopyPasteColumn = "Copied", NearCopyColumn = "NearCopy" };
        using ImageSimilarityTransformer fitted = new ImageSimilarity(_ml, options).Fit(Rows());
        IDataView view = fitted.Transform(Rows());

        ScoreRow[] rows = [.. _ml.Data.CreateEnumerable<ScoreRow>(view, reuseRowObject: false)];

        float[][] embeddings = Direct("dinov2");
        Assert.Equal([1f, (float)Similarity.Cosine(embeddings[1], embeddings[0]), (float)Similarity.Cosine(embeddings[2], embeddings[0])],
            rows.Select(r => r.Similarity), (a, b) => Math.Abs(a - b) < Close);
        Assert.Equal(1f, rows[0].Similarity);
        Assert.Equal(rows.Select(r => r.Similarity > Similarity.NearCopy), rows.Select(r => r.NearCopy));
        Assert.True(rows[0].NearCopy);
        Assert.True(rows[0].Copied > 0.5);
        Assert.All(rows, r => Assert.InRange(r.Copied, 0, 1));
    }

    [Theory]
    [InlineData("clip", "clip-i")]
    [InlineData("dino", "dino")]
    [InlineData("dinov2", "dinov2")]
    [InlineData("csd", "csd")]
    public void TheColumn_SaysMetricAndEncoder(string name, string metric)
    {
        using ImageSimilarityTransformer fitted = new ImageSimilarity(_ml, new ImageSimilarityOptions { Encoder = TestEncoders.Folder(name) }).Fit(Rows());
        DataViewSchema.Annotations annotations = fitted.GetOutputSchema(Rows().Schema)["Similarity"].Annotations;

        Assert.Equal([EncoderFolder.Open(TestEncoders.Folder(name)).Kind.ToString(), name, metric],
            new[] { "EncoderKind", "EncoderSource", "Metric" }.Select(a => Note(annotations, a)));
    }

    [Theory]
    [InlineData(EmbeddingScoring.OnnxTransformer)]
    [InlineData(EmbeddingScoring.OnnxRuntime)]
    public void TextSimilarity_IsTheCosineOfPictureAndText(EmbeddingScoring scoring)
    {
        TextSimilarityOptions options = new() { Encoder = TestEncoders.Folder("clip"), ImageColumn = "Reference", Scoring = scoring };
        using TextSimilarityTransformer fitted = new TextSimilarity(_ml, options).Fit(Rows());

        float[] found = [.. fitted.Transform(Rows()).GetColumn<float>("TextSimilarity")];

        using PictureEncoder encoder = PictureEncoder.Open(TestEncoders.Folder("clip"));
        float[][] texts = encoder.EncodeTexts(["prompt 0", "prompt 1", "prompt 2"]);
        Assert.Equal(Direct("clip").Zip(texts, (p, t) => (float)Similarity.Cosine(p, t)), found, (a, b) => Math.Abs(a - b) < Close);
    }

    [Fact]
    public void ATextThatIsTooLong_IsCutOffWithAWarning()
    {
        List<string> warnings = [];
        _ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            {
                warnings.Add(e.RawMessage);
            }
        };
        IDataView data = _ml.Data.LoadFromEnumerable([new Row { Reference = Views.Image(1), Prompt = string.Join(' ', Enumerable.Repeat("cat", 200)) }]);
        TextSimilarityOptions options = new() { Encoder = TestEncoders.Folder("clip"), ImageColumn = "Reference" };
        using TextSimilarityTransformer fitted = new TextSimilarity(_ml, options).Fit(data);

        Assert.Single(fitted.Transform(data).GetColumn<float>("TextSimilarity"));

        Assert.Contains("A text of more than 77 tokens was cut off", Assert.Single(warnings));
    }

    [Fact]
    public void OneRowAtATime_IsThatOfTheView()
    {
        ImageSimilarityOptions options = new() { Encoder = TestEncoders.Folder("dino") };
        using ImageSimilarityTransformer fitted = new ImageSimilarity(_ml, options).Fit(Rows());
        using PredictionEngine<Row, SimilarityRow> engine = _ml.Model.CreatePredictionEngine<Row, SimilarityRow>(fitted);

        float[] found = [.. Enumerable.Range(0, Pictures.Length).Select(i => engine.Predict(RowOf(i)).Similarity)];

        Assert.Equal(fitted.Transform(Rows()).GetColumn<float>("Similarity"), found);
    }

    [Fact]
    public void Automatic_TakesTheTransformWhereItServes()
    {
        Assert.Equal(EmbeddingScoring.OnnxTransformer, Chosen(o => o));
        Assert.Equal(EmbeddingScoring.OnnxRuntime, Chosen(o => o with { Runtime = new OnnxRuntimeOptions { Threads = 1 } }));
        using TemporaryFolder folder = new();
        Assert.Equal(EmbeddingScoring.OnnxRuntime, Chosen(o => o with { Encoder = WeightsBeside(folder.File("beside")) }));

        EmbeddingScoring Chosen(Func<ImageEmbeddingOptions, ImageEmbeddingOptions> change)
        {
            ImageEmbeddingOptions options = new() { Encoder = TestEncoders.Folder("dino"), ImageColumn = "Reference" };
            using ImageEmbeddingTransformer fitted = new ImageEmbedding(_ml, change(options)).Fit(Rows());
            return fitted.Scoring;
        }
    }

    [Fact]
    public void TheTransform_IsRefusedWhereItDoesNotServe()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("sets what it cannot be told", Refused(o => o with { Runtime = new OnnxRuntimeOptions { Threads = 1 } }));
        Assert.Contains("not on WebGpu", Refused(o => o with { Device = "webgpu,cpu" }));
        Assert.Contains("lie beside the model", Refused(o => o with { Encoder = WeightsBeside(folder.File("beside")) }));

        string Refused(Func<ImageEmbeddingOptions, ImageEmbeddingOptions> change)
        {
            ImageEmbeddingOptions options = new()
            {
                Encoder = TestEncoders.Folder("dino"),
                ImageColumn = "Reference",
                Scoring = EmbeddingScoring.OnnxTransformer,
            };
            return Assert.Throws<ArgumentException>(() => new ImageEmbedding(_ml, change(options)).Fit(Rows())).Message;
        }
    }

    [Fact]
    public void WhatAnEncoderCannotDo_IsSaidBeforeARowIsRead()
    {
        SchemaShape input = ColumnCheck.ShapeOf(Rows().Schema);
        TextSimilarity dino = new(_ml, new TextSimilarityOptions { Encoder = TestEncoders.Folder("dino"), ImageColumn = "Reference" });
        Assert.Contains("which has no network for texts", Assert.Throws<NotSupportedException>(() => dino.GetOutputSchema(input)).Message);
        ImageEmbedding none = new(_ml, new ImageEmbeddingOptions { Encoder = "/no/such/folder", ImageColumn = "Reference" });
        Assert.Contains("/no/such/folder", Assert.Throws<WeightsException>(() => none.GetOutputSchema(input)).Message);
        Assert.Contains("'Same'", Assert.Throws<ArgumentException>(() => new ImageSimilarity(
            _ml, new ImageSimilarityOptions { Encoder = "any", SimilarityColumn = "Same", NearCopyColumn = "Same" })).Message);
    }

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, Pictures.Length).Select(RowOf).ToArray());

    private static Row RowOf(int i) => new()
    {
        Reference = MLImages.FromPicture(Pictures[i]),
        Generated = MLImages.FromPicture(Pictures[0]),
        Prompt = $"prompt {i}",
    };

    private static float[][] Direct(string name)
    {
        using PictureEncoder encoder = PictureEncoder.Open(TestEncoders.Folder(name));
        return encoder.Encode(Pictures);
    }

    private static void AreClose(float[][] expected, float[][] found) => Assert.All(expected.Zip(found, (e, f) => (e, f)).ToArray(), pair =>
    {
        Assert.Equal(pair.e.Length, pair.f.Length);
        Assert.True(TensorPrimitives.Distance<float>(pair.e, pair.f) < Close);
    });

    private static string Note(DataViewSchema.Annotations annotations, string name)
    {
        ReadOnlyMemory<char> text = default;
        annotations.GetValue(name, ref text);
        return text.ToString();
    }

    /// <summary>An encoder's folder that says that weights lie beside its model, as those of more than 1.5 GB do.</summary>
    private static string WeightsBeside(string target)
    {
        string source = TestEncoders.Folder("dino");
        Directory.CreateDirectory(Path.Combine(target, "image_encoder"));
        File.Copy(Path.Combine(source, "image_encoder", "model.onnx"), Path.Combine(target, "image_encoder", "model.onnx"), overwrite: true);
        File.WriteAllText(Path.Combine(target, "image_encoder", "model.onnx.data"), "weights");
        JsonNode manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "encoder.json")))!;
        manifest["files"]!["image_encoder/model.onnx.data"] = 7;
        manifest["sha256"]!["image_encoder/model.onnx.data"] = new string('0', 64);
        File.WriteAllText(Path.Combine(target, "encoder.json"), manifest.ToJsonString());
        return target;
    }

    private class Row
    {
        [ImageType(64, 64)]
        public MLImage? Reference { get; set; }

        [ImageType(64, 64)]
        public MLImage? Generated { get; set; }

        public string Prompt { get; set; } = "";
    }

    private sealed class SimilarityRow
    {
        public float Similarity { get; set; }
    }

    private sealed class ScoreRow
    {
        public float Similarity { get; set; }

        public float Copied { get; set; }

        public bool NearCopy { get; set; }
    }
}
