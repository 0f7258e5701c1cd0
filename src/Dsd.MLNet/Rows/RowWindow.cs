using Microsoft.ML;

namespace Dsd.MLNet.Rows;

/// <summary>The rows that a cursor holds at one time: the one that it stands on, and those that it has read ahead.</summary>
internal abstract class RowWindow : IDisposable
{
    /// <summary>The row that getters are made on. It stands on the cursor's row, except within <see cref="At"/>.</summary>
    public abstract DataViewRow Row { get; }

    /// <summary>Tells one window from the next: the position of its first row.</summary>
    public abstract long Window { get; }

    /// <summary>How many rows are in the window.</summary>
    public abstract int Count { get; }

    /// <summary>Which of them the cursor stands on.</summary>
    public abstract int Current { get; }

    /// <summary>Goes on to the next row.</summary>
    public abstract bool MoveNext();

    /// <summary>Reads with <see cref="Row"/> standing on another row of the window.</summary>
    public abstract T At<T>(int slot, Func<T> read);

    public abstract void Dispose();
}
