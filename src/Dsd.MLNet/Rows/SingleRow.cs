using Microsoft.ML;

namespace Dsd.MLNet.Rows;

/// <summary>No reading ahead: the window is the one row that the source stands on.</summary>
internal sealed class SingleRow(DataViewRow source) : RowWindow
{
    public override DataViewRow Row => source;

    public override long Window => source.Position;

    public override int Count => 1;

    public override int Current => 0;

    public override bool MoveNext() => ((DataViewRowCursor)source).MoveNext();

    public override T At<T>(int slot, Func<T> read) => read();

    public override void Dispose() => source.Dispose();
}
