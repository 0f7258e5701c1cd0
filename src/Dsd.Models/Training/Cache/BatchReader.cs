using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Cache;

/// <summary>Gives the batches of a run. What lies on disk is read ahead by a thread of its own, as bytes: tensors are made where they are asked for.</summary>
internal sealed class BatchReader : IDisposable
{
    private const int Ahead = 3;
    private const int ReadsAtOnce = 4;
    private readonly ExampleStore _store;
    private readonly ExampleTable _examples;
    private readonly AspectBuckets _buckets;
    private readonly Device _device;
    private readonly Func<long, Fetched> _fetch;
    private readonly Prefetcher<Fetched>? _ahead;

    /// <summary>A reader of examples that are all in the store.</summary>
    /// <param name="store">The entries.</param>
    /// <param name="examples">The examples.</param>
    /// <param name="buckets">Their sizes.</param>
    /// <param name="device">Where the batches shall lie.</param>
    /// <param name="plan">The examples of a batch by its number; called by one thread at a time.</param>
    public BatchReader(ExampleStore store, ExampleTable examples, AspectBuckets buckets, Device device, Func<long, int[]> plan)
    {
        (_store, _examples, _buckets, _device) = (store, examples, buckets, device);
        _fetch = number => Fetch(plan(number));
        _ahead = store.InMemory ? null : new Prefetcher<Fetched>(_fetch, Ahead);
    }

    /// <summary>A batch by its number, in the current dispose scope. Fastest where numbers follow each other.</summary>
    /// <exception cref="IOException">An entry can no longer be read; the message names its file.</exception>
    public ExampleBatch Batch(long number)
    {
        using DisposeScope scope = NewDisposeScope();
        Fetched fetched = _ahead is null ? _fetch(number) : _ahead.Get(number);
        IReadOnlyList<Tensor>[] prompts = [.. fetched.Prompts.Select(p => p())];
        return new ExampleBatch(
            Together(fetched.Latents.Select(e => e()[0])),
            Together(fetched.Conditions.Select(e => e()[0])),
            [.. prompts[0].Select((_, part) => Together(prompts.Select(p => p[part])))],
            fetched.Canvas);
    }

    /// <summary>Stops reading.</summary>
    public void Dispose() => _ahead?.Dispose();

    private Tensor Together(IEnumerable<Tensor> rows) => cat(rows.ToArray()).to(_device).MoveToOuterDisposeScope();

    private Fetched Fetch(int[] rows)
    {
        ExampleKeys[] keys = [.. rows.Select(i => _examples[i])];
        Func<IReadOnlyList<Tensor>>[] entries = Read([.. keys.Select(k => k.Latents), .. keys.Select(k => k.Condition), .. keys.Select(k => k.Prompt)]);
        int count = keys.Length;
        return new Fetched(entries[..count], entries[count..(2 * count)], entries[(2 * count)..], _buckets.All[keys[0].Bucket].Canvas);
    }

    private Func<IReadOnlyList<Tensor>>[] Read(CacheKey[] keys)
    {
        if (_store.InMemory)
        {
            return [.. keys.Select(_store.Read)];
        }
        Func<IReadOnlyList<Tensor>>[] entries = new Func<IReadOnlyList<Tensor>>[keys.Length];
        try
        {
            System.Threading.Tasks.Parallel.For(
                0, keys.Length, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce }, i => entries[i] = _store.Read(keys[i]));
        }
        catch (AggregateException e) when (e.InnerExceptions[0] is IOException first)
        {
            throw new IOException(first.Message, first);
        }
        return entries;
    }

    private sealed record Fetched(
        Func<IReadOnlyList<Tensor>>[] Latents, Func<IReadOnlyList<Tensor>>[] Conditions, Func<IReadOnlyList<Tensor>>[] Prompts, Canvas Canvas);
}
