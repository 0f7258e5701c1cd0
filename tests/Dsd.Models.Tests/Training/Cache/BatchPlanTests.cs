using Dsd.Models.Training.Cache;

namespace Dsd.Models.Tests.Training.Cache;

public class BatchPlanTests
{
    [Fact]
    public void WithoutBuckets_TheOrderIsTheOneThatRunsHadBefore()
    {
        BatchPlan plan = BatchPlan.OfOneSize(seed: 3, batch: 4, count: 10);
        List<int> expected = [];
        for (int pass = 0; pass < 4; pass++)
        {
            int[] order = [.. Enumerable.Range(0, 10)];
            new Random((3 * 31) + pass).Shuffle(order);
            expected.AddRange(order);
        }
        Assert.Equal(expected, Enumerable.Range(0, 10).SelectMany(n => plan.Of(n)));
        // Over the end of a pass.
        Assert.Equal(expected[8..12], BatchPlan.OfOneSize(3, 4, 10).Of(2));
    }

    [Fact]
    public void WithBuckets_EachBatchHoldsOne_AndEachPassAllExamples()
    {
        ExampleTable examples = Table(out int[] buckets);
        BatchPlan plan = BatchPlan.OfBuckets(5, batch: 4, examples, buckets: 4);
        // 9 of bucket 0, 2 of bucket 1, none of bucket 2, 8 of bucket 3: batches of 3, 1 and 2.
        List<int[]> passes = [];
        for (int pass = 0; pass < 3; pass++)
        {
            int[][] batches = [.. Enumerable.Range(6 * pass, 6).Select(n => plan.Of(n))];
            Assert.All(batches, b => Assert.Equal(4, b.Length));
            Assert.All(batches, b => Assert.Single(b.Select(i => buckets[i]).Distinct()));
            Assert.Equal(Enumerable.Range(0, 19), batches.SelectMany(b => b).Distinct().Order());
            Assert.Equal(24, batches.Sum(b => b.Length));
            passes.Add([.. batches.SelectMany(b => b)]);
        }
        Assert.NotEqual(passes[0], passes[1]);
    }

    [Fact]
    public void WithBuckets_ABatchDependsOnItsNumberAlone()
    {
        ExampleTable examples = Table(out _);
        BatchPlan inTurn = BatchPlan.OfBuckets(5, 4, examples, 4);
        int[][] batches = [.. Enumerable.Range(0, 30).Select(n => inTurn.Of(n))];
        foreach (int number in new[] { 29, 3, 17, 0 })
        {
            Assert.Equal(batches[number], BatchPlan.OfBuckets(5, 4, examples, 4).Of(number));
            Assert.Equal(batches[number], inTurn.Of(number));
        }
        Assert.NotEqual(batches, Enumerable.Range(0, 30).Select(n => BatchPlan.OfBuckets(6, 4, examples, 4).Of(n)));
    }

    private static ExampleTable Table(out int[] buckets)
    {
        buckets = [.. Enumerable.Range(0, 19).Select(i => i % 9 == 4 ? 1 : i % 2 == 0 ? 0 : 3)];
        // 0 … 18 without 4 and 13: the even ones but 4 are 9, the odd ones but 13 are 8.
        ExampleTable examples = new();
        foreach (int bucket in buckets)
        {
            examples.Add(new ExampleKeys(default, default, default, bucket));
        }
        return examples;
    }
}
