using Dsd.Models.Training.Cache;

namespace Dsd.Models.Tests.Training.Cache;

public class PrefetcherTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public void Things_ComeInTheirOrder_AndAJumpStartsAnew()
    {
        using Prefetcher<long> squares = new(n => n * n, 2);
        Assert.Equal([0, 1, 4, 9], Enumerable.Range(0, 4).Select(n => squares.Get(n)));
        Assert.Equal([81, 100], Enumerable.Range(9, 2).Select(n => squares.Get(n)));
        Assert.Equal(81, squares.Get(9));
    }

    [Fact]
    public void FewAreMadeAhead()
    {
        long made = -1;
        using (Prefetcher<long> numbers = new(n => Interlocked.Exchange(ref made, n), 2))
        {
            numbers.Get(0);
            Assert.True(SpinWait.SpinUntil(() => Interlocked.Read(ref made) >= 2, Long));
            Thread.Sleep(50);
        }
        // One was taken, two wait, and one more was in the making.
        Assert.InRange(made, 2, 3);
    }

    [Fact]
    public void AnError_ComesOutWhereItsThingIsAskedFor()
    {
        using Prefetcher<long> numbers = new(n => n < 2 ? n : throw new IOException($"file {n}"), 4);
        Assert.Equal([0, 1], [numbers.Get(0), numbers.Get(1)]);
        Assert.Equal("file 2", Assert.Throws<IOException>(() => numbers.Get(2)).Message);
        Assert.Equal("file 2", Assert.Throws<IOException>(() => numbers.Get(2)).Message);
        Assert.Equal(1, numbers.Get(1));
    }

    [Fact]
    public void Disposing_WithoutAUse_OrWithAFullQueue_Ends()
    {
        new Prefetcher<long>(n => n, 1).Dispose();
        Prefetcher<long> numbers = new(n => n, 1);
        numbers.Get(5);
        numbers.Dispose();
        numbers.Dispose();
    }
}
