namespace Dsd.MLNet.Data.Store;

/// <summary>Rows that are kept in memory, pictures compressed.</summary>
internal sealed class MemoryRows : IKeptRows
{
    private readonly List<(byte[] Bytes, long Origin)> _rows = [];

    public long Count => _rows.Count;

    public bool IsWhole { get; private set; }

    public byte[] Read(long row) => _rows[(int)row].Bytes;

    public long OriginOf(long row) => _rows[(int)row].Origin;

    public void Begin()
    {
    }

    public void Add(byte[] bytes, long origin) => _rows.Add((bytes, origin));

    public void Cut(long row) => _rows.RemoveRange((int)row, _rows.Count - (int)row);

    public void End(bool whole) => IsWhole |= whole;
}
