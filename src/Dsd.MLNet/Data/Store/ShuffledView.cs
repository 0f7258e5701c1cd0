using Microsoft.ML;

namespace Dsd.MLNet.Data.Store;

/// <summary>A view in another order, the same one each time.</summary>
internal sealed class ShuffledView(IDataView source, int seed) : IDataView
{
    public IDataView Source => source;

    public int Seed => seed;

    public bool CanShuffle => true;

    public DataViewSchema Schema => source.Schema;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        source.GetRowCursor(columnsNeeded, rand ?? new Random(seed));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
