using Dsd.Lab.Judge;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Judge;

public class JudgeCalibrationTests
{
    [Fact]
    public void BestThreshold_IsTheStrictestThatKeepsNineTenthsPrecisely()
    {
        // Pairs of one subject lie evenly from 0.505 to 0.7525, changed ones below 0.2, but for two that look the same: 0.53 keeps nine tenths.
        double[] agreement = [.. Enumerable.Range(0, 100).Select(i => 0.505 + i / 400.0), .. Enumerable.Range(0, 98).Select(i => i / 500.0), 0.6, 0.7];
        bool[] same = [.. agreement.Select((_, i) => i < 100)];

        Assert.Equal(0.53, JudgeCalibration.BestThreshold(agreement, same), 9);
    }

    [Fact]
    public void BestThreshold_GivesUpPairsForPrecision()
    {
        WorldRandom random = new(1);
        bool[] same = [.. Enumerable.Range(0, 2000).Select(i => i % 2 == 0)];
        double[] agreement = [.. same.Select(s => s ? Math.Sqrt(random.NextDouble()) : 0.7 * Math.Pow(random.NextDouble(), 6))];
        double threshold = JudgeCalibration.BestThreshold(agreement, same);
        int kept = agreement.Zip(same).Count(p => p.First >= threshold && p.Second);
        int wrong = agreement.Zip(same).Count(p => p.First >= threshold && !p.Second);
        Assert.InRange((double)kept / (kept + wrong), 0.97, 1);
        // Half of the pairs of one subject lie below 0.7, where changed ones lie too.
        Assert.InRange(kept, 450, 700);
    }

    [Fact]
    public void BestThreshold_IsTheMostOftenRightOneWhereNoneIsPrecise()
    {
        double[] agreement = [0.9, 0.8, 0.3, 0.2];
        Assert.InRange(JudgeCalibration.BestThreshold(agreement, [false, true, true, false]), 0.2, 0.3);
    }

    [Fact]
    public void BestThreshold_StaysMeaningfulWhereAgreementsAreTiny() =>
        Assert.InRange(JudgeCalibration.BestThreshold([1e-9, 1e-12, 1e-9, 1e-12], [true, false, true, false]), 0.01, 0.99);
}
