using Dsd.MLNet.Tests.Fakes;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Stages;

/// <summary>Row classes with a plain <c>MLImage</c> or a <c>LoraWeights</c>, in a process where nothing else has made these types known.</summary>
public sealed class NewProcessTests
{
    private readonly MLContext _ml = new(1);

    [Theory]
    [InlineData("grids")]
    [InlineData("curator")]
    [InlineData("tuner")]
    [InlineData("generator")]
    public void MakingAnyStage_MakesItsTypesKnown(string stage) =>
        Assert.Equal(["Image: Image", "Adapter: Lora", "rows: 1"], LoadProgram.Run("--types", stage));

    [Fact]
    public void LoadingAStage_MakesItsTypesKnown()
    {
        using Testing.TemporaryFolder folder = new();
        IDataView pairs = Views.Pairs(_ml, true);
        LoraFineTunerTransformer fitted = new LoraFineTuner(_ml, null, new PaintedModels()).Fit(pairs);
        _ml.Model.Save(fitted, pairs.Schema, folder.File("tuner.zip"));
        Assert.Equal(["3 bytes"], LoadProgram.Run("--adapter", folder.File("tuner.zip")));
    }
}
