using Microsoft.ML;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>No reading ahead: the window is the one row that the source stands on.</summary>
internal sealed class SingleRow(DataViewRow source) : RowWindow
{
    private bool _ended;

    public override DataViewRow Row => source;

    public override long Window => source.Position;

    public override int Count => 1;

    public override int Current => 0;

    public override bool HasRow => !_ended && source.Position >= 0;

    public override bool MoveNext()
    {
        _ended = _ended || !((DataViewRowCursor)source).MoveNext();
        return !_ended;
    }

    public override T At<T>(int slot, Func<T> read) => read();

    public override void Stop()
    {
        base.Stop();
        (source as IStoppable)?.Stop();
    }

    protected override void Close()
    {
        _ended = true;
        source.Dispose();
    }
}
