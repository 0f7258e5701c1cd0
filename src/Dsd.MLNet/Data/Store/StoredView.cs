using Dsd.MLNet.Curation;
using Dsd.MLNet.Stages.Rows;
using Dsd.MLNet.Stages.Running;
using Microsoft.ML;

namespace Dsd.MLNet.Data.Store;

/// <summary>A view whose rows are computed and kept when they are first read.</summary>
internal sealed class StoredView : IDataView
{
    private readonly Lock _gate = new();
    private readonly StageHost _host;
    private readonly RowCodec _codec;
    private readonly Lazy<IKeptRows> _kept;
    private DataViewRowCursor? _source;
    private Func<byte[]>? _read;
    private int _readers;

    public StoredView(IDataView source, RowStoreOptions options, StageHost host)
    {
        RowCodec.Require(source.Schema.Select(c => (c.Name, c.Type)));
        Source = source;
        _host = host;
        _codec = new RowCodec(source.Schema, [.. source.Schema]);
        _kept = new(() => options.Folder is { } folder ? Opened(folder, options.Key) : new MemoryRows(), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>The view whose rows are kept.</summary>
    public IDataView Source { get; }

    // To give rows in another order, all of them are computed first.
    public bool CanShuffle => true;

    public DataViewSchema Schema => Source.Schema;

    public long? GetRowCount() => _kept is { IsValueCreated: true, Value: { IsWhole: true } whole } ? whole.Count : Source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        lock (_gate)
        {
            _readers++;
        }
        try
        {
            return new Cursor(this, columnsNeeded, rand);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private FolderRows Opened(string folder, string? key)
    {
        RowIdentity identity = RowIdentity.Of(Source, key);
        FolderRows rows = new(Path.Combine(folder, identity.Name), identity.Description);
        if (rows.Count > 0)
        {
            _host.Info($"{(rows.IsWhole ? "All" : "The first")} {rows.Count} rows are kept in '{Path.Combine(folder, identity.Name)}'.");
        }
        return rows;
    }

    /// <summary>Whether there is such a row. It is computed and kept if it is not yet.</summary>
    private bool Has(long row)
    {
        lock (_gate)
        {
            IKeptRows kept = _kept.Value;
            while (kept.Count <= row && !kept.IsWhole)
            {
                try
                {
                    KeepOne(kept);
                }
                catch
                {
                    StopSource(whole: false);
                    throw;
                }
            }
            return row < kept.Count;
        }
    }

    private byte[] Bytes(long row)
    {
        lock (_gate)
        {
            return _kept.Value.Read(row);
        }
    }

    private void KeepOne(IKeptRows kept)
    {
        if (_source is null)
        {
            kept.Begin();
            if (kept.IsWhole)
            {
                // Another process has finished it meanwhile.
                kept.End(whole: false);
                return;
            }
            _source = StartSource(kept);
            _read = _codec.Reader(_source);
        }
        if (_source.MoveNext())
        {
            kept.Add(_read!(), _source is CuratedCursor curated ? curated.GridPosition : _source.Position);
        }
        else
        {
            StopSource(whole: true);
        }
    }

    /// <summary>A cursor that stands before the first row that is not kept. What comes before is not computed again.</summary>
    private DataViewRowCursor StartSource(IKeptRows kept)
    {
        if (Source is CuratedView curated)
        {
            long grid = kept.Count > 0 ? kept.OriginOf(kept.Count - 1) : 0;
            // Perhaps not all pairs of the last grid were kept: it is judged once more.
            long first = kept.Count;
            while (first > 0 && kept.OriginOf(first - 1) == grid)
            {
                first--;
            }
            if (first < kept.Count)
            {
                kept.Cut(first);
            }
            return curated.CursorFrom(_codec.Columns, grid);
        }
        DataViewRowCursor cursor = Source.GetRowCursor(_codec.Columns);
        for (long row = 0; row < kept.Count; row++)
        {
            if (!cursor.MoveNext())
            {
                cursor.Dispose();
                throw new InvalidOperationException($"{kept.Count} rows are kept, but the input has {row} only: it has changed since they were computed.");
            }
        }
        return cursor;
    }

    private void StopSource(bool whole)
    {
        _source?.Dispose();
        (_source, _read) = (null, null);
        if (_kept.IsValueCreated)
        {
            _kept.Value.End(whole);
        }
    }

    /// <summary>A cursor is done. The last one ends what is being computed, so that nothing is held that nobody waits for.</summary>
    private void Leave()
    {
        lock (_gate)
        {
            if (--_readers == 0 && _source is not null)
            {
                StopSource(whole: false);
            }
        }
    }

    private sealed class Cursor(StoredView view, IEnumerable<DataViewSchema.Column> columns, Random? random) : PositionedCursor(view.Schema, columns)
    {
        private int[]? _order;
        private long _row;
        private byte[]? _bytes;
        private bool _closed;

        protected override ulong RowId => (ulong)_row;

        protected override bool Seek(long position)
        {
            _bytes = null;
            _row = position;
            if (random is null)
            {
                return view.Has(position);
            }
            if (_order is null)
            {
                view.Has(long.MaxValue);
                _order = [.. Enumerable.Range(0, (int)view._kept.Value.Count)];
                random.Shuffle(_order);
            }
            _row = position < _order.Length ? _order[position] : 0;
            return position < _order.Length;
        }

        protected override Delegate Getter(DataViewSchema.Column column) => view._codec.Getter(column, () => _bytes ??= view.Bytes(_row));

        protected override void Close()
        {
            if (!_closed)
            {
                _closed = true;
                view.Leave();
            }
        }
    }
}
