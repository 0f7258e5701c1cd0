using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Tests.Evaluation;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Tests;

/// <summary>The stages as <c>ml.Transforms</c> offers them.</summary>
public sealed class CatalogTests
{
    private readonly MLContext _ml = new(1);

    [Fact]
    public void DrawGrids_NamesItsColumns_OutputFirst()
    {
        SchemaShape shape = Shape(_ml.Transforms.DrawGrids("Sheet", "Caption"), "captions");
        Assert.Contains(shape, c => c.Name == "Sheet" && c.ItemType.RawType == typeof(MLImage));
        shape = Shape(_ml.Transforms.DrawGrids("Caption"), "captions");
        Assert.Equal(typeof(MLImage), Assert.Single(shape, c => c.Name == "Caption").ItemType.RawType);
        Assert.Contains(Shape(_ml.Transforms.DrawGrids(new GridGeneratorOptions { GridColumn = "G" }), "captions"), c => c.Name == "G");
    }

    [Fact]
    public void JudgeGrids_NamesItsColumns()
    {
        SchemaShape shape = _ml.Transforms.JudgeGrids("A", "B", "Sheet").GetOutputSchema(Shape(_ml.Transforms.DrawGrids("Sheet", "Caption"), "captions"));
        Assert.Superset(new HashSet<string> { "A", "B", "Prompt", "Kept", "Confidence", "Reason" }, shape.Select(c => c.Name).ToHashSet());
    }

    [Fact]
    public void JudgePairs_FineTuneLora_GenerateImages_NameTheirColumns()
    {
        SchemaShape shape = Shape(_ml.Transforms.JudgePairs("Same", "Reference", "Target"), "pairs");
        Assert.Contains(shape, c => c.Name == "Same" && c.ItemType is BooleanDataViewType);
        shape = Shape(_ml.Transforms.FineTuneLora("Lora", "Reference", "Target", "Prompt"), "pairs");
        Assert.Contains(shape, c => c.Name == "Lora" && c.ItemType is LoraDataViewType);
        shape = Shape(_ml.Transforms.GenerateImages("Drawn"), "references");
        Assert.Contains(shape, c => c.Name == "Drawn" && c.ItemType.RawType == typeof(MLImage));
    }

    [Fact]
    public void TheEncodersMethods_NameTheirColumns()
    {
        (string dino, string clip) = (TestEncoders.Folder("dino"), TestEncoders.Folder("clip"));
        Assert.Contains(Shape(_ml.Transforms.EmbedImages("Vector", dino, "Reference"), "references"), c => c.Name == "Vector");
        Assert.Equal(
            SchemaShape.Column.VectorKind.Vector,
            Assert.Single(Shape(_ml.Transforms.EmbedImages("Reference", dino), "references"), c => c.Name == "Reference").Kind);
        Assert.Contains(Shape(_ml.Transforms.CompareImages("Dino", dino, "Reference", "Target"), "pairs"), c => c.Name == "Dino");
        Assert.Contains(Shape(_ml.Transforms.CompareImagesWithText("ClipT", clip, "Reference"), "references"), c => c.Name == "ClipT");
        Assert.Contains(Shape(_ml.Transforms.ExtractEncoderPixels("Pixels", clip, "Reference"), "references"), c => c.Name == "Pixels");
    }

    [Fact]
    public void TheContextOfTheCatalog_IsTheStages()
    {
        MLContext seven = new(7);
        IDataView captions = SampleInput.Of(seven, "captions");
        using GridGeneratorTransformer fitted = seven.Transforms.DrawGrids().Fit(captions);
        Assert.Equal(7, fitted.Options.Seed);
    }

    [Fact]
    public void ANullCatalog_IsNamed()
    {
        Assert.Equal("catalog", Assert.Throws<ArgumentNullException>(() => GridGeneratorCatalog.DrawGrids(null!)).ParamName);
        Assert.Equal("catalog", Assert.Throws<ArgumentNullException>(() => RowStoreCatalog.StoreRows((TransformsCatalog)null!)).ParamName);
    }

    private SchemaShape Shape(IEstimator<ITransformer> stage, string input) => stage.GetOutputSchema(ColumnCheck.ShapeOf(SampleInput.Of(_ml, input).Schema));
}
