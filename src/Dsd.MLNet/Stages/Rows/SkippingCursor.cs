namespace Dsd.MLNet.Stages.Rows;

/// <summary>A cursor that leaves out rows that cannot be computed, and tells how many when it is disposed.</summary>
internal sealed class SkippingCursor(MappedColumns columns, Action<string> warn) : MappedCursor(columns)
{
    private readonly MappedColumns _columns = columns;
    private long _given;
    private long _skipped;
    private (long Row, string Fault) _first;

    public override long Position => _columns.Rows.HasRow ? _given - 1 : -1;

    public override bool MoveNext()
    {
        while (base.MoveNext())
        {
            if (_columns.Fault is not { } fault)
            {
                _given++;
                return true;
            }
            if (_skipped++ == 0)
            {
                _first = (_columns.Rows.Row.Position, fault);
            }
        }
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _skipped > 0)
        {
            warn($"{_skipped} of {_given + _skipped} rows were left out. The first was row {_first.Row}: {_first.Fault}");
            _skipped = 0;
        }
        base.Dispose(disposing);
    }
}
