using Dsd.Evaluation.Metrics;

namespace Dsd.Evaluation.Tests.Metrics;

public sealed class IntervalTests
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
        Random random = new(5);
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

    [Theory]
    [InlineData(10, 10, 0.722, 1)]
    [InlineData(0, 10, 0, 0.278)]
    [InlineData(50, 100, 0.404, 0.596)]
    public void OfShare_IsWilsons(int right, int count, double low, double high)
    {
        Interval interval = Interval.OfShare(right, count)!;

        Assert.Equal((low, high), (Math.Round(interval.Low, 3), Math.Round(interval.High, 3)));
        Assert.Equal((double)right / count, interval.Mean);
    }

    [Fact]
    public void OfShare_OfNothing_IsNone() => Assert.Null(Interval.OfShare(0, 0));
}
