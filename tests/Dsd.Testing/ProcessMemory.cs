using System.Globalization;

namespace Dsd.Testing;

/// <summary>What the process holds. Every running test has its share in it, so tests that look at it must run alone.</summary>
public static class ProcessMemory
{
    /// <summary>Bytes that belong to no file, as Linux tells them.</summary>
    public static long Anonymous() => 1024 * long.Parse(
        File.ReadLines("/proc/self/status").First(
            l => l.StartsWith("RssAnon:", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
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
