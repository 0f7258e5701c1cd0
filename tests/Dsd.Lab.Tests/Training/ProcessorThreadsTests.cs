using Dsd.Lab.Training;
using TorchSharp;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public class ProcessorThreadsTests
{
    [Fact]
    public async Task Bound_IsForAllThatIsMadeAtTheSameTime()
    {
        int before = torch.get_num_threads();
        try
        {
            ProcessorThreads.Bound(2);
            (int now, int most) = (0, 0);
            int[][] made = await Task.WhenAll(Enumerable.Range(0, 4).Select(batch => Task.Run(() => ProcessorThreads.Make(8, i =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref now));
                Thread.Sleep(5);
                Interlocked.Decrement(ref now);
                return (10 * batch) + i;
            }))));

            Assert.Equal(2, torch.get_num_threads());
            Assert.Equal(2, most);
            Assert.All(Enumerable.Range(0, 4), batch => Assert.Equal(Enumerable.Range(10 * batch, 8), made[batch]));
        }
        finally
        {
            // The bound is the whole process's: other tests go on with as many threads as before.
            ProcessorThreads.Bound(Math.Max(before, Environment.ProcessorCount));
            torch.set_num_threads(before);
        }
    }

    [Fact]
    public void Bound_RefusesNone() => Assert.Throws<ArgumentOutOfRangeException>(() => ProcessorThreads.Bound(0));

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }
}
