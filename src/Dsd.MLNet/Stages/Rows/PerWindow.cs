namespace Dsd.MLNet.Stages.Rows;

/// <summary>A value of each row of the window, computed for all of them at once when the first is asked for.</summary>
internal sealed class PerWindow<T>(RowWindow rows, Func<IReadOnlyList<T>> compute)
{
    private IReadOnlyList<T> _values = [];
    private long _window = -1;

    /// <summary>The value of the row that the cursor stands on.</summary>
    public T Current
    {
        get
        {
            if (_window != rows.Window)
            {
                _values = compute();
                _window = rows.Window;
            }
            return _values[rows.Current];
        }
    }
}
