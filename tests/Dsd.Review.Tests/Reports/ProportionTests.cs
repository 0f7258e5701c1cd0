using Dsd.Review.Reports;

namespace Dsd.Review.Tests.Reports;

public class ProportionTests
{
    // R. G. Newcombe 1998, table I, and the interval's own equation: its ends lie 1.96 standard errors from the share, where the standard
    // error is that of the end.
    [Theory]
    [InlineData(8, 10, 0.49016, 0.94332)]
    [InlineData(0, 10, 0, 0.27753)]
    [InlineData(10, 10, 0.72247, 1)]
    [InlineData(81, 263, 0.2553, 0.3662)]
    public void Interval_IsWilsons(long hits, long of, double low, double high)
    {
        Proportion share = new(hits, of);

        Assert.Equal((double)hits / of, share.Value!.Value, 12);
        Assert.Equal(low, share.Low!.Value, 4);
        Assert.Equal(high, share.High!.Value, 4);
        Assert.All(
            (double[])[share.Low.Value, share.High.Value],
            end => Assert.Equal(1.959964 * Math.Sqrt(end * (1 - end) / of), Math.Abs(end - share.Value.Value), 6));
    }

    [Fact]
    public void OfNone_HasNoShare()
    {
        Proportion share = new(0, 0);

        Assert.Null(share.Value);
        Assert.Null(share.Low);
        Assert.Null(share.High);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(-1, 1)]
    public void MoreThanAll_IsRefused(long hits, long of) => Assert.Throws<ArgumentOutOfRangeException>(() => new Proportion(hits, of));
}
