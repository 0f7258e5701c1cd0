using Dsd.Models.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// What a pass with gradients keeps of its first blocks: their inputs alone, not their graphs. The way back runs each of them again, one at a time (Chen et al.
/// 2016, "Training deep nets with sublinear memory cost"), so that one block's graph is there at once, and its weights need be there only twice a step.
/// </summary>
internal sealed class FluxTape : IDisposable
{
    private readonly int _blocks;
    private readonly Tensor _vec;
    private readonly Tensor _vecLeaf;
    private readonly Tensor _rotary;
    private readonly List<(Tensor Image, Tensor Text)> _doubles = [];
    private readonly List<Tensor> _singles = [];
    private readonly List<Tensor> _begin = [];
    private readonly List<Tensor> _leaves = [];
    private long _textTokens;

    /// <summary>A tape for one pass.</summary>
    /// <param name="blocks">How many blocks, from the first on, keep no graph: at least 1.</param>
    /// <param name="given">What the pass is given; it may be disposed before the way back.</param>
    public FluxTape(int blocks, FluxConditioning given)
    {
        _blocks = blocks;
        _vec = Kept(given.Modulations.Vec);
        _vecLeaf = Leaf(_vec, _vec.requires_grad);
        _rotary = Kept(given.Rotary);
        Modulations = new StepModulations(_vecLeaf.alias(), given.Text.shape[0], twice: true);
    }

    /// <summary>What modulates the blocks of this pass; gradients stop at a leaf of this tape, and go on from there on the way back.</summary>
    public StepModulations Modulations { get; }

    private bool IsLeft => _leaves.Count > 0;

    /// <summary>The block over both streams, without a graph where it is one of the first.</summary>
    public (Tensor Image, Tensor Text) Run(DoubleStreamBlock block, Tensor image, Tensor text)
    {
        if (_begin.Count == 0)
        {
            _begin.AddRange([Kept(image), Kept(text)]);
            _textTokens = text.shape[1];
        }
        if (!IsLeft && _doubles.Count == _blocks)
        {
            _leaves.AddRange([Leaf(image), Leaf(text)]);
            (image, text) = (_leaves[0].alias(), _leaves[1].alias());
        }
        if (IsLeft)
        {
            return Forward(block, image, text);
        }
        _doubles.Add((Detached(image), Detached(text)));
        using IDisposable noGrad = NoGraph(block);
        return Forward(block, image, text);
    }

    /// <summary>The block over the joined stream, likewise.</summary>
    public Tensor Run(SingleStreamBlock block, Tensor joined, long textTokens)
    {
        if (_begin.Count == 0)
        {
            _begin.Add(Kept(joined));
        }
        _textTokens = textTokens;
        if (!IsLeft && _doubles.Count + _singles.Count == _blocks)
        {
            joined = Leave(joined);
        }
        if (IsLeft)
        {
            return Forward(block, joined);
        }
        _singles.Add(Detached(joined));
        using IDisposable noGrad = NoGraph(block);
        return Forward(block, joined);
    }

    /// <summary>The joined stream after the last block, with a graph from here on.</summary>
    public Tensor End(Tensor joined) => IsLeft ? joined : Leave(joined);

    /// <summary>Runs the blocks again from the last one to the first, and adds to the gradients of all that learns. Each tape goes back once.</summary>
    /// <param name="network">The network of the pass, whose gradients behind the blocks that keep no graph are there.</param>
    public void Backward(FluxTransformer network)
    {
        using DisposeScope scope = NewDisposeScope();
        if (!IsLeft || _leaves.Any(l => l.grad is null))
        {
            // The pass was not finished, or the loss does not depend on it.
            return;
        }
        using IDisposable grad = enable_grad();
        Tensor[] gradients = [.. _leaves.Select(l => l.grad!)];
        foreach ((SingleStreamBlock block, Tensor input) in
            (network.Residency?.SinglesBackwards ?? network.Singles.Reverse()).Skip(Unrecorded(network.Singles.Count, _singles.Count)).Zip(Backwards(_singles)))
        {
            using Tensor after = gradients[0];
            gradients = Through([input], [after], streams => [Forward(block, streams[0])]);
        }
        if (gradients.Length == 1 && _doubles.Count > 0)
        {
            Tensor joined = gradients[0];
            gradients = [joined.narrow(1, _textTokens, joined.shape[1] - _textTokens), joined.narrow(1, 0, _textTokens)];
        }
        foreach ((DoubleStreamBlock block, (Tensor Image, Tensor Text) input) in
            (network.Residency?.DoublesBackwards ?? network.Doubles.Reverse()).Skip(Unrecorded(network.Doubles.Count, _doubles.Count)).Zip(Backwards(_doubles)))
        {
            Tensor[] after = gradients;
            gradients = Through([input.Image, input.Text], after, streams =>
            {
                (Tensor image, Tensor text) = Forward(block, streams[0], streams[1]);
                return [image, text];
            });
            foreach (Tensor gradient in after)
            {
                gradient.Dispose();
            }
        }
        (Tensor Tensor, Tensor Gradient)[] before = [.. _begin.Zip(gradients).Where(p => p.First.requires_grad)];
        if (_vec.requires_grad && _vecLeaf.grad is { } ofVec)
        {
            before = [.. before, (_vec, ofVec)];
        }
        if (before.Length > 0)
        {
            autograd.backward([.. before.Select(b => b.Tensor)], [.. before.Select(b => b.Gradient)]);
        }
    }

    /// <summary>Frees all that was kept.</summary>
    public void Dispose()
    {
        Modulations.Dispose();
        foreach (Tensor tensor in _doubles.SelectMany(d => new[] { d.Image, d.Text }).Concat(_singles).Concat(_begin).Concat(_leaves))
        {
            tensor.Dispose();
        }
        _vec.Dispose();
        _vecLeaf.Dispose();
        _rotary.Dispose();
    }

    // Blocks after those that keep no graph: their gradients are there already.
    private static int Unrecorded(int blocks, int recorded) => recorded == 0 ? blocks : blocks - recorded;

    private static IEnumerable<T> Backwards<T>(List<T> inputs) => Enumerable.Reverse(inputs);

    private static Tensor[] Through(Tensor[] inputs, Tensor[] gradients, Func<Tensor[], Tensor[]> forward)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] leaves = [.. inputs.Select(i => i.detach().requires_grad_(true))];
        Tensor[] outputs = forward(leaves);
        autograd.backward(outputs, gradients);
        return [.. leaves.Select(l => l.grad!.MoveToOuterDisposeScope())];
    }

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();

    private static Tensor Detached(Tensor tensor) => tensor.detach().DetachFromDisposeScope();

    private static Tensor Leaf(Tensor tensor, bool learns = true) => tensor.detach().requires_grad_(learns).DetachFromDisposeScope();

    private static IDisposable NoGraph(FluxBlock block) => block.Shown is null
        ? no_grad()
        : throw new InvalidOperationException("A block whose stream a loss looks at must keep its graph: recompute fewer blocks, or show another one.");

    private Tensor Leave(Tensor joined)
    {
        _leaves.Add(Leaf(joined));
        return _leaves[0].alias();
    }

    private (Tensor Image, Tensor Text) Forward(DoubleStreamBlock block, Tensor image, Tensor text) => block.forward(
        image, text, Modulations.Of(block.ImageModulation, 0, null), Modulations.Of(block.TextModulation, 0, null), _rotary);

    private Tensor Forward(SingleStreamBlock block, Tensor joined) => block.forward(joined, Modulations.Of(block.Modulation, 0, null), _rotary);
}
