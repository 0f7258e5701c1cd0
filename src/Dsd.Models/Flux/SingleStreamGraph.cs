using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// A pass of a <see cref="SingleStreamBlock"/> that keeps what the way back needs, and the way back. It computes what the block's own forward
/// does: a test holds the two together.
/// </summary>
/// <param name="block">The block.</param>
/// <param name="mod">What modulates it, without gradients.</param>
/// <param name="rotary">[tokens, 1, head / 2], complex.</param>
internal sealed class SingleStreamGraph(SingleStreamBlock block, Modulated mod, Tensor rotary) : IDisposable
{
    private readonly LinearGraph _in = new(block.Attention.In);
    private readonly LinearGraph _mlp = new(block.MlpIn);
    private readonly LinearGraph _out = new(block.Out);
    private readonly AttentionGraph _attention = new(block.Attention.HeadCount, rotary, block.Attention.Norms);
    private Tensor? _x;
    private Tensor? _hidden;

    /// <summary>The stream after the block, x [batch, tokens, width] before it. Null where it is not wanted: the last products then are left out.</summary>
    public Tensor? Forward(Tensor x, bool wanted = true)
    {
        using DisposeScope scope = NewDisposeScope();
        _x = x.alias().DetachFromDisposeScope();
        Tensor normed = Modulation.Apply(x, mod.Shift, mod.Scale).flatten(0, 1); // [rows, width]
        Tensor qkv = _in.Forward(normed).view([.. x.shape[..2], -1]); // [batch, tokens, 3 · width]
        _hidden = _mlp.Forward(normed).DetachFromDisposeScope(); // [rows, 4 · width]
        _attention.Forward(qkv);
        return wanted ? mod.Add(x, _out.Forward(Both()).view(x.shape)).MoveToOuterDisposeScope() : null;
    }

    /// <summary>Adds to the gradients of the adapters, and gives that of x.</summary>
    /// <param name="gradient">Of the stream after the block: [batch, tokens, width].</param>
    public Tensor Backward(Tensor gradient)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor x, Tensor hidden) = (_x!, _hidden!);
        Tensor ofBoth = _out.Backward(Both(), (mod.Gate * gradient).flatten(0, 1)); // [rows, 5 · width]
        long width = x.shape[2];
        Tensor ofHidden = Gelu.Gradient(hidden, ofBoth.narrow(1, width, hidden.shape[1])); // [rows, 4 · width]
        Tensor ofQkv = _attention.Backward(ofBoth.narrow(1, 0, width).contiguous().view(x.shape))[0].flatten(0, 1); // [rows, 3 · width]
        Tensor normed = Modulation.Apply(x, mod.Shift, mod.Scale).flatten(0, 1); // once more: cheaper than to keep it
        Tensor ofNormed = _mlp.Backward(normed, ofHidden, _in.Backward(normed, ofQkv)); // [rows, width]
        return Modulation.Gradient(x, mod.Shift, mod.Scale, ofNormed.view(x.shape), gradient).MoveToOuterDisposeScope();
    }

    /// <summary>Frees what was kept.</summary>
    public void Dispose()
    {
        foreach (IDisposable part in new IDisposable?[] { _in, _mlp, _out, _attention, _x, _hidden }.OfType<IDisposable>())
        {
            part.Dispose();
        }
    }

    // What attention found and the feed-forward network's inner channels, as the last layer takes them: [rows, 5 · width].
    private Tensor Both() => Gelu.Beside(_attention.Found.detach().flatten(0, 1), _hidden!);
}
