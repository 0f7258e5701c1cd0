namespace Dsd.Models.Training.Cache;

/// <summary>
/// Which examples a batch holds: it depends on the seed and the batch's number alone, so that a run goes on anywhere without going through what came
/// before. Not for several threads at once.
/// </summary>
/// <remarks>
/// Without buckets the batches are cut from an endless sequence of examples, each pass over the data a permutation of its own, so that a batch may hold
/// the end of one pass and the beginning of the next. With buckets a batch lies within one bucket and one pass: the examples of each bucket are
/// shuffled and cut into batches, the last of them is filled up from the beginning of its own bucket, and the batches of all buckets are shuffled. Every
/// example is then seen at least once a pass, and those that fill up twice.
/// </remarks>
internal sealed class BatchPlan
{
    private readonly long _seed;
    private readonly int _batch;
    private readonly int _count;
    // Where the examples of each bucket begin in the order, which lies bucket by bucket; null where there are no buckets.
    private readonly int[]? _starts;
    private readonly int[] _identity;
    private readonly (int Bucket, int First)[] _batches;
    private int[] _order;
    private (int Bucket, int First)[] _shuffled = [];
    private long _orderOf = -1;

    private BatchPlan(long seed, int batch, int[] identity, int[]? starts)
    {
        (_seed, _batch, _count, _identity, _starts) = (seed, batch, identity.Length, identity, starts);
        _order = new int[identity.Length];
        _batches = starts is null ? [] : [.. Enumerable.Range(0, starts.Length - 1).SelectMany(Cut)];

        IEnumerable<(int, int)> Cut(int bucket)
        {
            for (int first = 0; first < starts[bucket + 1] - starts[bucket]; first += batch)
            {
                yield return (bucket, first);
            }
        }
    }

    /// <summary>A plan in which all examples have one size.</summary>
    /// <param name="seed">Where the order starts.</param>
    /// <param name="batch">Examples in a batch.</param>
    /// <param name="count">Examples, at least one.</param>
    public static BatchPlan OfOneSize(long seed, int batch, int count) => new(seed, batch, [.. Enumerable.Range(0, count)], null);

    /// <summary>A plan in which batches hold one bucket only.</summary>
    /// <param name="seed">Where the order starts.</param>
    /// <param name="batch">Examples in a batch.</param>
    /// <param name="examples">The examples, at least one.</param>
    /// <param name="buckets">How many buckets there are.</param>
    public static BatchPlan OfBuckets(long seed, int batch, ExampleTable examples, int buckets)
    {
        int[] starts = new int[buckets + 1];
        for (int i = 0; i < examples.Count; i++)
        {
            starts[examples[i].Bucket + 1]++;
        }
        for (int bucket = 0; bucket < buckets; bucket++)
        {
            starts[bucket + 1] += starts[bucket];
        }
        int[] next = starts[..];
        int[] byBucket = new int[examples.Count];
        for (int i = 0; i < examples.Count; i++)
        {
            byBucket[next[examples[i].Bucket]++] = i;
        }
        return new BatchPlan(seed, batch, byBucket, starts);
    }

    /// <summary>The examples of a batch.</summary>
    /// <param name="number">The batch's number in the run, from 0.</param>
    public int[] Of(long number) => _starts is null ? OfSequence(number) : OfBucket(number, _starts);

    private int[] OfSequence(long number)
    {
        int[] examples = new int[_batch];
        for (int i = 0; i < _batch; i++)
        {
            (long pass, long within) = Math.DivRem(number * _batch + i, _count);
            if (pass != _orderOf)
            {
                _identity.CopyTo(_order, 0);
                Random(pass).Shuffle(_order);
                _orderOf = pass;
            }
            examples[i] = _order[within];
        }
        return examples;
    }

    private int[] OfBucket(long number, int[] starts)
    {
        (long pass, long within) = Math.DivRem(number, _batches.Length);
        if (pass != _orderOf)
        {
            _identity.CopyTo(_order, 0);
            Random random = Random(pass);
            for (int i = 0; i < starts.Length - 1; i++)
            {
                random.Shuffle(_order.AsSpan(starts[i], starts[i + 1] - starts[i]));
            }
            _shuffled = [.. _batches];
            random.Shuffle(_shuffled);
            _orderOf = pass;
        }
        (int bucket, int first) = _shuffled[within];
        int size = starts[bucket + 1] - starts[bucket];
        return [.. Enumerable.Range(first, _batch).Select(i => _order[starts[bucket] + i % size])];
    }

    private Random Random(long pass) => new(unchecked((int)(_seed * 31 + pass)));
}
