namespace Dsd.Curation.Tests;

public sealed class OrderedWorkTests
{
    [Fact]
    public async Task Results_ComeInOrder_AndThingsAreTakenOnlyAsThereIsRoom()
    {
        int taken = 0;
        IEnumerable<int> Things()
        {
            for (int i = 0; i < 50; i++)
            {
                taken++;
                yield return i;
            }
        }
        List<int> results = [];
        await foreach (int result in OrderedWork.SelectAsync(Things(), async (i, cancel) =>
        {
            await Task.Delay((i * 7) % 5, cancel);
            return i;
        }, concurrency: 4))
        {
            Assert.InRange(taken, result + 1, result + 4);
            results.Add(result);
        }

        Assert.Equal(Enumerable.Range(0, 50), results);
    }
}
