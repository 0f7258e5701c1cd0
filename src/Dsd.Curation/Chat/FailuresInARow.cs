using System.Runtime.ExceptionServices;
using Dsd.Common.Options;

namespace Dsd.Curation.Chat;

/// <summary>
/// Ends work that only fails: single failures are noted by whoever meets them, and too many without a success between are thrown. Thread-safe.
/// </summary>
/// <param name="most">The failure that is thrown, 1 to 1,000,000: the fiftieth in a row, say.</param>
public sealed class FailuresInARow(int most)
{
    private readonly int _most = OptionCheck.Range(most, 1, 1_000_000, nameof(most));
    private int _count;

    /// <summary>Notes a success.</summary>
    public void Succeed() => Interlocked.Exchange(ref _count, 0);

    /// <summary>Notes a failure, and throws it where it is one too many.</summary>
    /// <param name="fault">The failure.</param>
    public void Fail(Exception fault)
    {
        if (Interlocked.Increment(ref _count) >= _most)
        {
            ExceptionDispatchInfo.Throw(fault);
        }
    }
}
