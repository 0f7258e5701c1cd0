using Dsd.Imaging;
using Dsd.MLNet.Stages.Columns;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet.Curation;

/// <summary>Stands on one pair after the other; the columns of the grid that they were cut from are passed through.</summary>
internal sealed class CuratedCursor(
    DataViewRow grid,
    GridQueue grids,
    DataViewSchema schema,
    IReadOnlyList<AddedColumn> added,
    bool[] active,
    GridTally tally) : DataViewRowCursor, IStoppable
{
    private IReadOnlyList<CuratedPair> _pairs = [];
    private int _current;
    private long _position = -1;
    private bool _ended;

    public override DataViewSchema Schema => schema;

    public override long Position => _ended ? -1 : _position;

    public override long Batch => 0;

    /// <summary>Where the grid of the pair stands in the view that grids come from.</summary>
    public long GridPosition => grid.Position;

    private CuratedPair Pair => _position >= 0 && !_ended ? _pairs[_current] : throw RowWindow.NoRow();

    public override bool MoveNext()
    {
        if (_ended)
        {
            return false;
        }
        _current++;
        while (_current >= _pairs.Count)
        {
            // Until the next grid is there, the cursor stands on no row, also where none comes because of a failure.
            _ended = true;
            if (grids.Next() is not { } next)
            {
                return false;
            }
            tally.Add(next, grid.Position);
            (_pairs, _current, _ended) = (next.Rows, 0, false);
        }
        _position++;
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < active.Length && active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
        {
            throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
        }
        int passed = grid.Schema.Count;
        return column.Index < passed
            ? Passed<TValue>(grid.Schema[column.Index])
            : Added(column.Index - passed) as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"Column '{column.Name}' holds {added[column.Index - passed].Type.RawType}, not {typeof(TValue)}.");
    }

    public override ValueGetter<DataViewRowId> GetIdGetter()
    {
        ValueGetter<DataViewRowId> own = grid.GetIdGetter();
        return (ref DataViewRowId id) =>
        {
            _ = Pair;
            own(ref id);
            id = RowIds.Of(id, _current);
        };
    }

    public void Stop() => grids.Stop();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ended = true;
            grids.Dispose();
            tally.Dispose();
        }
        base.Dispose(disposing);
    }

    private ValueGetter<TValue> Passed<TValue>(DataViewSchema.Column column)
    {
        ValueGetter<TValue> getter = grid.GetGetter<TValue>(column);
        return (ref TValue value) =>
        {
            _ = Pair;
            getter(ref value);
        };
    }

    // In the order of VlmCuratorTransformer.Columns.
    private Delegate Added(int index) => index switch
    {
        0 => (ValueGetter<MLImage>)((ref value) => value = Image(Pair.Reference)),
        1 => (ValueGetter<MLImage>)((ref value) => value = Image(Pair.Target)),
        2 => (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = Pair.Prompt.AsMemory()),
        3 => (ValueGetter<bool>)((ref value) => value = Pair.Judgement?.Kept ?? false),
        4 => (ValueGetter<float>)((ref value) => value = (float)(Pair.Judgement?.Verdict?.Confidence ?? double.NaN)),
        5 => (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = (Pair.Judgement?.Reason).AsMemory()),
        _ => (ValueGetter<ReadOnlyMemory<char>>)((ref value) => value = Pair.Error.AsMemory()),
    };

    private static MLImage Image(Picture? panel) => panel is null ? null! : MLImages.FromPicture(panel);
}
