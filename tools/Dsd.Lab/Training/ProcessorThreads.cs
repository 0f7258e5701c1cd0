using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>How many of a machine's processors this process uses: as many as there are, until it is bounded.</summary>
/// <remarks>
/// Several trainings on one machine would otherwise each start a thread for every core, and spend their time on waiting for one another.
/// </remarks>
internal static class ProcessorThreads
{
    private static volatile ParallelOptions _parallel = new();

    /// <summary>Bounds what libtorch and drawing use, each, for the whole process. Call it first: threads keep what they began with.</summary>
    /// <param name="most">Threads at most, at least 1.</param>
    public static void Bound(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        set_num_threads(most);
        // One scheduler for all: pictures are drawn for several batches at the same time.
        _parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = most,
            TaskScheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, most).ConcurrentScheduler,
        };
    }

    /// <summary>Makes so many items at the same time, in order.</summary>
    public static T[] Make<T>(int count, Func<int, T> make)
    {
        T[] items = new T[count];
        Parallel.For(0, count, _parallel, i => items[i] = make(i));
        return items;
    }
}
