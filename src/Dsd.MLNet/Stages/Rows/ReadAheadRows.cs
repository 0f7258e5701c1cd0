using System.Runtime.ExceptionServices;
using Microsoft.ML;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>Reads a few rows ahead, so that a costly column can be computed for all of them at once.</summary>
/// <remarks>Every active column of the source is read for every row of the window, because the source cannot go back.</remarks>
/// <param name="source">The rows.</param>
/// <param name="size">How many are read.</param>
/// <param name="keepFailures">Whether a value that the source cannot give fails when it is asked for only. Else its row cannot be moved to.</param>
internal sealed class ReadAheadRows(DataViewRowCursor source, int size, bool keepFailures) : RowWindow
{
    private readonly RowBuffer _buffer = new(source, size, _ => true, keepFailures);
    private ExceptionDispatchInfo? _failure;
    private bool _ended;
    private int _count;
    private int _current = -1;

    public override DataViewRow Row => _buffer.Row;

    public override long Window => _buffer.PositionOf(0);

    public override int Count => _count;

    public override int Current => _current;

    public override bool HasRow => _buffer.Slot >= 0;

    public override bool MoveNext()
    {
        if (_current + 1 < _count)
        {
            _buffer.Slot = ++_current;
            return true;
        }
        (_count, _current, _buffer.Slot) = (0, -1, -1);
        _failure?.Throw();
        while (!_ended && _failure is null && _count < size)
        {
            ReadOne();
        }
        if (_count == 0)
        {
            return false;
        }
        _buffer.Slot = _current = 0;
        return true;
    }

    public override T At<T>(int slot, Func<T> read)
    {
        _buffer.Slot = slot;
        try
        {
            return read();
        }
        finally
        {
            _buffer.Slot = _current;
        }
    }

    public override void Stop()
    {
        base.Stop();
        (source as IStoppable)?.Stop();
    }

    protected override void Close()
    {
        (_ended, _count, _current) = (true, 0, -1);
        _buffer.Dispose();
        source.Dispose();
    }

    private void ReadOne()
    {
        try
        {
            _ended = !source.MoveNext();
            if (!_ended)
            {
                _buffer.Read(_count);
                _count++;
            }
        }
        catch (Exception e) when (_count > 0)
        {
            // The rows before it are whole: the failure comes when its own row is asked for.
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }
}
