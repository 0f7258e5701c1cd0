using Dsd.Lab.Measure;
using Dsd.Tiny.World;

namespace Dsd.Lab.Tests.Measure;

public class IntervalTests
{
    [Fact]
    public void Bootstrap_IsAPointWhereAllSubjectsAreAlike() => Assert.Equal(new Interval(0.5, 0.5, 0.5), Interval.Bootstrap([0.5, 0.5, 0.5], 1));

    [Fact]
    public void Bootstrap_IsTheSameForTheSameSeed()
    {
        double[] means = [0.1, 0.4, 0.9, 0.3, 0.7];
        Assert.Equal(Interval.Bootstrap(means, 3), Interval.Bootstrap(means, 3));
        Assert.NotEqual(Interval.Bootstrap(means, 3), Interval.Bootstrap(means, 4));
    }

    [Fact]
    public void Bootstrap_IsAsWideAsTheNormalIntervalOfManySubjects()
    {
        WorldRandom random = new(5);
        double[] means = [.. Enumerable.Range(0, 400).Select(_ => random.NextDouble())];
        double mean = means.Average();
        double error = Math.Sqrt(means.Sum(m => (m - mean) * (m - mean)) / means.Length / means.Length);
        Interval interval = Interval.Bootstrap(means, 1);
        Assert.Equal(mean, interval.Mean, 12);
        Assert.InRange(interval.Low, mean - 2.15 * error, mean - 1.77 * error);
        Assert.InRange(interval.High, mean + 1.77 * error, mean + 2.15 * error);
    }

    [Fact]
    public void Bootstrap_RefusesNoSubjects() => Assert.Throws<ArgumentException>(() => Interval.Bootstrap([], 1));
}
