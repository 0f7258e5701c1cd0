using Dsd.MLNet.Stages.Running;
using Microsoft.ML;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>The rows that a cursor holds at one time: the one that it stands on, and those that it has read ahead.</summary>
internal abstract class RowWindow : IStoppable, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private RowTally? _tally;

    /// <summary>The row that getters are made on. It stands on the cursor's row, except within <see cref="At"/>.</summary>
    public abstract DataViewRow Row { get; }

    /// <summary>Tells one window from the next: the position of its first row.</summary>
    public abstract long Window { get; }

    /// <summary>How many rows are in the window.</summary>
    public abstract int Count { get; }

    /// <summary>Which of them the cursor stands on.</summary>
    public abstract int Current { get; }

    /// <summary>Whether the cursor stands on a row: not before the first, not after the last, and not once it is disposed.</summary>
    public abstract bool HasRow { get; }

    /// <summary>Fires when nobody waits for this cursor's values any more.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Goes on to the next row.</summary>
    public abstract bool MoveNext();

    /// <summary>Reads with <see cref="Row"/> standing on another row of the window.</summary>
    public abstract T At<T>(int slot, Func<T> read);

    /// <exception cref="InvalidOperationException">The cursor stands on no row.</exception>
    public void RequireRow()
    {
        if (!HasRow)
        {
            throw NoRow();
        }
    }

    /// <summary>What ML.NET's own cursors say where they stand on no row.</summary>
    public static InvalidOperationException NoRow() => new(
        "Values cannot be fetched at this time. "
        + "This method was called either before the first call to MoveNext, or at any point after that method returned false.");

    public virtual void Stop() => _stop.Cancel();

    /// <summary>Counts rows that a stage has computed. How many there were is told when the window is disposed.</summary>
    public void Computed(StageHost host, TimeSpan took) => (_tally ??= new RowTally(host.Info)).Add(Count, took);

    public void Dispose()
    {
        _tally?.End();
        Close();
    }

    /// <summary>Lets go of rows and source.</summary>
    protected abstract void Close();
}
