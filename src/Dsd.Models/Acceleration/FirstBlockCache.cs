using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// Leaves out all blocks but the first, while the first one changes a picture's tokens about as it did when all blocks last ran. The others then
/// count with the change that they made at that time. Each row of a batch is judged by itself, so that a picture is the same alone and in a batch.
/// </summary>
/// <param name="threshold">
/// The largest difference between both changes of the first block, as a share of the earlier one (mean absolute values), at which the others are left out.
/// </param>
internal sealed class FirstBlockCache(float threshold) : IDisposable
{
    private Tensor? _first;
    private Tensor? _rest;
    private Tensor? _pending;

    /// <summary>How many times all blocks ran, counted row by row.</summary>
    public int Computed { get; private set; }

    /// <summary>How many times all but the first were left out, counted row by row.</summary>
    public int LeftOut { get; private set; }

    /// <summary>The rows whose other blocks have to run. <see cref="Complete"/> is to follow.</summary>
    /// <param name="before">Tokens before the first block: [batch, tokens, width].</param>
    /// <param name="after">The same after it.</param>
    public long[] Changed(Tensor before, Tensor after)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor first = after - before;
        long[] rows = _first is null ? [.. Enumerable.Range(0, (int)first.shape[0])] : Changed(first);
        Computed += rows.Length;
        LeftOut += (int)first.shape[0] - rows.Length;
        _pending?.Dispose();
        _pending = rows.Length > 0 ? first.DetachFromDisposeScope() : null;
        return rows;
    }

    /// <summary>The tokens after the last block, of all rows: [batch, tokens, width].</summary>
    /// <param name="after">Tokens after the first block.</param>
    /// <param name="rows">The rows whose other blocks ran: what <see cref="Changed(Tensor, Tensor)"/> gave.</param>
    /// <param name="last">Their tokens after the last block: [rows, tokens, width]. Not used if there is no row.</param>
    public Tensor Complete(Tensor after, long[] rows, Tensor last)
    {
        using DisposeScope scope = NewDisposeScope();
        if (rows.Length == after.shape[0])
        {
            Keep(_pending!.alias(), last - after);
            return last.alias().MoveToOuterDisposeScope();
        }
        if (rows.Length > 0)
        {
            Tensor index = tensor(rows).to(after.device);
            Tensor rest = last - after.index_select(0, index);
            Keep(_first!.index_copy(0, index, _pending!.index_select(0, index)), _rest!.index_copy(0, index, rest));
        }
        return after.Plus(_rest!).MoveToOuterDisposeScope();
    }

    /// <summary>Frees what it holds.</summary>
    public void Dispose()
    {
        _first?.Dispose();
        _rest?.Dispose();
        _pending?.Dispose();
        (_first, _rest, _pending) = (null, null, null);
    }

    // NaN counts as changed.
    private long[] Changed(Tensor first)
    {
        Tensor Size(Tensor x) => x.abs().mean([1, 2], type: ScalarType.Float32);
        float[] change = (Size(first - _first!) / Size(_first!)).cpu().data<float>().ToArray();
        return [.. Enumerable.Range(0, change.Length).Where(i => !(change[i] <= threshold))];
    }

    private void Keep(Tensor first, Tensor rest)
    {
        Dispose();
        (_first, _rest) = (first.DetachFromDisposeScope(), rest.DetachFromDisposeScope());
    }
}
