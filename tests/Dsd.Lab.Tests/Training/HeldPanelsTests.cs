using Dsd.Lab.Training;

namespace Dsd.Lab.Tests.Training;

public sealed class HeldPanelsTests
{
    private static readonly InContextConfig Half = new() { Share = 0.5, TogetherShare = 0.2, CleanShare = 0.5, NoiseShift = 0 };

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Draw_HoldsSomePanelsOfInContextGridsAndNoneOfOthers(int panels)
    {
        bool[] inContext = [.. Enumerable.Range(0, 4000).Select(i => i % 2 == 0)];

        HeldPanels held = HeldPanels.Draw(Half, inContext, panels, seed: 1, step: 7);

        float[][] grids = [.. held.NoiseShares.Chunk(panels)];
        Assert.All(grids.Where((_, i) => i % 2 == 1), shares => Assert.All(shares, share => Assert.Equal(1, share)));
        float[][] some = [.. grids.Where((_, i) => i % 2 == 0)];
        Assert.All(some, shares => Assert.Contains(1, shares));
        // The held panels of a grid carry the same noise.
        Assert.All(some, shares => Assert.InRange(shares.Where(share => share < 1).Distinct().Count(), 0, 1));
        Assert.InRange(some.Average(shares => shares.All(share => share == 1) ? 1.0 : 0.0), 0.15, 0.25);
        Assert.InRange(some.Average(shares => shares.Contains(0) ? 1.0 : 0.0), 0.35, 0.45);
        Assert.All(Enumerable.Range(0, panels), panel => Assert.InRange(some.Average(shares => shares[panel] < 1 ? 1.0 : 0.0), 0.35, 0.45));
    }

    [Fact]
    public void Draw_IsDecidedBySeedAndStep()
    {
        bool[] inContext = [.. Enumerable.Repeat(true, 50)];
        float[] first = HeldPanels.Draw(Half, inContext, 4, seed: 1, step: 7).NoiseShares;

        Assert.Equal(first, HeldPanels.Draw(Half, inContext, 4, seed: 1, step: 7).NoiseShares);
        Assert.NotEqual(first, HeldPanels.Draw(Half, inContext, 4, seed: 1, step: 8).NoiseShares);
        Assert.NotEqual(first, HeldPanels.Draw(Half, inContext, 4, seed: 2, step: 7).NoiseShares);
    }

    [Fact]
    public void Draw_HoldsNoSinglePicture() => Assert.False(HeldPanels.Draw(Half, [true, true], 1, seed: 1, step: 7).Any);

    [Fact]
    public void Weights_AreNothingForHeldPanelsAndCountEachGridTheSame()
    {
        HeldPanels held = new(4, [1, 1, 1, 1, 0, 1, 0.5f, 1, 0, 0, 0, 1]);

        Assert.Equal([1, 1, 1, 1, 0, 2, 0, 2, 0, 0, 0, 4], held.Weights());
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Share_OutOfRange_IsRefused(double share) => Assert.Throws<ArgumentOutOfRangeException>(() => Half with { Share = share });
}
