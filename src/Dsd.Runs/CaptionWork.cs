using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>What is still under way for one caption: its prompts, grids and pairs are worked on at the same time, and the last to end tells so.</summary>
internal sealed class CaptionWork(SeedCaption caption)
{
    private int _open = 1;
    private int _failures;

    public SeedCaption Caption => caption;

    /// <summary>Whether nothing of it failed.</summary>
    public bool Whole => Volatile.Read(ref _failures) == 0;

    /// <summary>More of it is under way.</summary>
    public void Begin(int pieces) => Interlocked.Add(ref _open, pieces);

    /// <summary>A piece has ended.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool End() => Interlocked.Decrement(ref _open) == 0;

    public void Fail() => Interlocked.Increment(ref _failures);
}
