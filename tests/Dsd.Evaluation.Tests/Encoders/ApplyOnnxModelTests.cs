using System.Numerics.Tensors;
using Dsd.Evaluation.Encoders;
using Dsd.Imaging;
using Dsd.Models.Text;
using Dsd.Testing;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.Evaluation.Tests.Encoders;

/// <summary>ML.NET's own transform scores what is exported: it needs no more than the file and the names of its input and output.</summary>
public sealed class ApplyOnnxModelTests(ExportedEncoders encoders) : IClassFixture<ExportedEncoders>
{
    [Theory]
    [InlineData("clip")]
    [InlineData("dino")]
    [InlineData("dinov2")]
    [InlineData("csd")]
    public void ApplyOnnxModel_GivesTheEncodersEmbedding(string model)
    {
        PictureEncoder encoder = encoders[model];
        Picture[] pictures = [Pngs.Noisy(90, 70), Pngs.Noisy(64, 200)];
        PixelRow[] rows = [.. pictures.Select(picture => new PixelRow { Pixels = encoder.Folder.Preprocessing.Numbers(picture) })];
        MLContext ml = new();
        SchemaDefinition schema = SchemaDefinition.Create(typeof(PixelRow));
        int side = encoder.Folder.Preprocessing.Height;
        schema["pixel_values"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, side, encoder.Folder.Preprocessing.Width);
        IDataView data = ml.Data.LoadFromEnumerable(rows, schema);

        IDataView scored = ml.Transforms.ApplyOnnxModel("embedding", "pixel_values", encoder.Folder.ImageModel).Fit(data).Transform(data);

        float[][] found = [.. scored.GetColumn<float[]>("embedding")];
        float[][] expected = encoder.Encode(pictures);
        Assert.All(expected.Zip(found), pair =>
        {
            Assert.Equal(encoder.Folder.Width, pair.Second.Length);
            Assert.True(TensorPrimitives.Distance<float>(pair.First, pair.Second) < 1e-5);
        });
    }

    [Fact]
    public void ApplyOnnxModel_ScoresTexts()
    {
        EncoderFolder folder = encoders["clip"].Folder;
        ClipTokenizer tokenizer = ClipTokenizer.Load(folder.Tokenizer!);
        MLContext ml = new();
        SchemaDefinition schema = SchemaDefinition.Create(typeof(IdRow));
        schema["input_ids"].ColumnType = new VectorDataViewType(NumberDataViewType.Int64, folder.TextTokens!.Value);
        IDataView data = ml.Data.LoadFromEnumerable([new IdRow { Ids = tokenizer.Encode("a red cat", folder.TextTokens!.Value) }], schema);

        IDataView scored = ml.Transforms.ApplyOnnxModel("embedding", "input_ids", folder.TextModel).Fit(data).Transform(data);

        float[] found = Assert.Single(scored.GetColumn<float[]>("embedding"));
        Assert.True(TensorPrimitives.Distance<float>(encoders["clip"].EncodeTexts(["a red cat"])[0], found) < 1e-5);
    }

    private sealed class PixelRow
    {
        [ColumnName("pixel_values")]
        public float[] Pixels { get; set; } = [];
    }

    private sealed class IdRow
    {
        [ColumnName("input_ids")]
        public long[] Ids { get; set; } = [];
    }
}
