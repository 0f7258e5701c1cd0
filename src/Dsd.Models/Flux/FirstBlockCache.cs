using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// While the first block changes a picture's tokens much as it did when all blocks last ran, the others are taken to do as they did then, and are left out. Each row of a batch is
/// judged by itself, so that a picture is the same alone and in a batch.
/// </summary>
/// <param name="threshold">The largest change of the first block's part, as a share of its size (mean absolute values), at which the other blocks are left out.</param>
internal sealed class FirstBlockCache(float threshold) : IDisposable
{
    private Tensor? _first;
    private Tensor? _rest;

    /// <summary>How many times all blocks ran, counted row by row.</summary>
    public int Computed { get; private set; }

    /// <summary>How many times all but the first were left out, counted row by row.</summary>
    public int LeftOut { get; private set; }

    /// <summary>The tokens after the last block.</summary>
    /// <param name="before">Image tokens before the first block: [batch, image, width].</param>
    /// <param name="after">The same after it.</param>
    /// <param name="others">The image tokens after the last block of the rows whose numbers are given: [rows, image, width].</param>
    public Tensor Apply(Tensor before, Tensor after, Func<long[], Tensor> others)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor first = after - before;
        long[] rows = Changed(first);
        Computed += rows.Length;
        LeftOut += (int)after.shape[0] - rows.Length;
        if (rows.Length == after.shape[0])
        {
            Tensor last = others(rows);
            Keep(first, last - after);
            return last.MoveToOuterDisposeScope();
        }
        if (rows.Length > 0)
        {
            Tensor index = tensor(rows).to(after.device);
            Tensor rest = others(rows) - after.index_select(0, index);
            Keep(_first!.index_copy(0, index, first.index_select(0, index)), _rest!.index_copy(0, index, rest));
        }
        return (after + _rest!).MoveToOuterDisposeScope();
    }

    /// <summary>Frees what it holds.</summary>
    public void Dispose()
    {
        _first?.Dispose();
        _rest?.Dispose();
        (_first, _rest) = (null, null);
    }

    // What is no number has changed too.
    private long[] Changed(Tensor first)
    {
        if (_first is null)
        {
            return [.. Enumerable.Range(0, (int)first.shape[0])];
        }
        Tensor Size(Tensor x) => x.abs().mean([1, 2], type: ScalarType.Float32);
        float[] change = (Size(first - _first) / Size(_first)).cpu().data<float>().ToArray();
        return [.. Enumerable.Range(0, change.Length).Where(i => !(change[i] <= threshold))];
    }

    private void Keep(Tensor first, Tensor rest)
    {
        Dispose();
        (_first, _rest) = (first.DetachFromDisposeScope(), rest.DetachFromDisposeScope());
    }
}
