using System.Globalization;

namespace Dsd.Models.Tests;

/// <summary>
/// What the process holds, of which every running test has its share: classes of this collection run while no other test does.
/// </summary>
[CollectionDefinition(Alone, DisableParallelization = true)]
public sealed class ProcessMemory
{
    /// <summary>The collection's name.</summary>
    public const string Alone = "process memory";

    /// <summary>Bytes that belong to no file, as Linux tells them.</summary>
    public static long Anonymous() => 1024 * long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    /// <summary>The most bytes beyond those at the start that an action holds at a time.</summary>
    public static async Task<long> PeakOf(Action action)
    {
        using CancellationTokenSource done = new();
        long before = Anonymous();
        Task<long> peak = Task.Run(() =>
        {
            long most = before;
            while (!done.Token.WaitHandle.WaitOne(1))
            {
                most = Math.Max(most, Anonymous());
            }
            return most;
        });
        await Task.Run(action);
        await done.CancelAsync();
        return await peak - before;
    }
}
