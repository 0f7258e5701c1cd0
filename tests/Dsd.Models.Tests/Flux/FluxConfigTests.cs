namespace Dsd.Models.Tests.Flux;

public class FluxConfigTests
{
    [Fact]
    public void Validate_NamesBothNumbersWhereRotaryAxesDoNotAddUp()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => (FluxFixture.Tiny with { AxesDimsRope = [2, 4, 4] }).Validate());
        Assert.Contains("attention_head_dim (8), but 2 + 4 + 4 is 10", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_RefusesPatches()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => (FluxFixture.Tiny with { PatchSize = 2 }).Validate());
        Assert.Contains("patch_size must be 1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_RefusesAnAbsurdNumberOfBlocks()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => (FluxFixture.Tiny with { NumLayers = 2_000_000 }).Validate());
        Assert.Contains("num_layers must lie between 0 and 1024, but is 2000000", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ClassName_DecidesWhetherThereIsACondition() =>
        Assert.True((FluxFixture.Tiny with { ClassName = "FluxTransformer2DConditionalModel" }).Conditional);

    [Fact]
    public void ClassName_RefusesOtherModels() =>
        Assert.Throws<ArgumentException>(() => FluxFixture.Tiny with { ClassName = "SD3Transformer2DModel" });

    [Fact]
    public void OutputChannels_AreTheInputsWhereTheConfigSaysNothing() =>
        Assert.Equal(16, FluxFixture.Tiny.OutputChannels);
}
