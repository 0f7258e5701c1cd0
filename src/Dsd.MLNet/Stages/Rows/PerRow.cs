namespace Dsd.MLNet.Stages.Rows;

/// <summary>A value of each row of the window, computed when it is first asked for and kept while the window stands.</summary>
internal sealed class PerRow<T>(RowWindow rows, Func<T> compute)
{
    private (bool Known, T Value)[] _values = [];
    private long _window = -1;

    /// <summary>The value of the row that the cursor stands on.</summary>
    public T Current => At(rows.Current);

    /// <summary>The value of a row of the window.</summary>
    public T At(int slot)
    {
        if (_window != rows.Window || _values.Length < rows.Count)
        {
            _values = new (bool, T)[rows.Count];
            _window = rows.Window;
        }
        if (!_values[slot].Known)
        {
            _values[slot] = (true, rows.At(slot, compute));
        }
        return _values[slot].Value;
    }
}
