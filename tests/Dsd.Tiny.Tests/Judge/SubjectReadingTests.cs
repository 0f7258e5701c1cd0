using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Tests.Judge;

public class SubjectReadingTests
{
    private static readonly JudgeConfig Coin = new()
    {
        Attributes = [new AttributeKind("side", ["Heads", "Tails"]),
        new AttributeKind("metal", ["Gold", "Silver"])]
    };

    [Fact]
    public void Agreement_IsCertainForSureAndEqualReadings() => Assert.InRange(Agreement([50, 0, 0, 50], [50, 0, 0, 50]), 0.999, 1);

    [Fact]
    public void Agreement_IsNothingWhereOneAttributeDiffers() => Assert.InRange(Agreement([50, 0, 0, 50], [50, 0, 50, 0]), 0, 0.001);

    [Fact]
    public void Agreement_IsAQuarterForTwoCoinsOfWhichNothingIsKnown() => Assert.Equal(0.25, Agreement([0, 0, 0, 0], [0, 0, 0, 0]), 6);

    [Fact]
    public void FromLogits_SoftensByTheTemperature() =>
        Assert.True(SubjectReading.FromLogits([2, 0, 0, 0], Coin with { Temperature = 4 })
            .Probability(0, 0) < SubjectReading.FromLogits([2, 0, 0, 0], Coin).Probability(0, 0));

    private static double Agreement(float[] a, float[] b) => SubjectReading.FromLogits(a, Coin).Agreement(SubjectReading.FromLogits(b, Coin));
}
