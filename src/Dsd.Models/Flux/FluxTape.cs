using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>
/// What a pass with gradients keeps of its first blocks: their inputs alone, not their graphs. The way back runs each of them again, one at a time (Chen et al.
/// 2016, "Training deep nets with sublinear memory cost"), so that one block's graph is there at once, and its weights need be there only twice a step.
/// Where a block's way back is written out, the other blocks keep what that needs, and torch keeps a graph of none.
/// </summary>
internal sealed class FluxTape : IDisposable
{
    private readonly int _blocks;
    private readonly bool _written;
    private readonly Tensor _vec;
    private readonly Tensor _vecLeaf;
    private readonly Tensor _rotary;
    private readonly List<(Tensor Image, Tensor Text, DoubleStreamGraph? Graph)> _doubles = [];
    private readonly List<(Tensor Joined, SingleStreamGraph? Graph)> _singles = [];
    private readonly List<Tensor> _begin = [];
    private readonly List<Tensor> _leaves = [];
    private readonly Dictionary<Modulation, Modulated[]> _modulated = [];
    private long _textTokens;

    /// <summary>A tape for one pass.</summary>
    /// <param name="blocks">How many blocks, from the first on, keep their inputs alone: at least 1, unless the way back is written out.</param>
    /// <param name="written">Whether the way back of all blocks is <see cref="DoubleStreamGraph"/>'s and <see cref="SingleStreamGraph"/>'s.</param>
    /// <param name="given">What the pass is given; it may be disposed before the way back.</param>
    public FluxTape(int blocks, bool written, FluxConditioning given)
    {
        (_blocks, _written) = (blocks, written);
        _vec = Kept(given.Modulations.Vec);
        _vecLeaf = Leaf(_vec, _vec.requires_grad);
        _rotary = Kept(given.Rotary);
        Modulations = new StepModulations(_vecLeaf.alias(), given.Text.shape[0], twice: true);
    }

    /// <summary>What modulates the blocks of this pass; gradients stop at a leaf of this tape, and go on from there on the way back.</summary>
    public StepModulations Modulations { get; }

    private bool IsLeft => _leaves.Count > 0;

    // The next block is one of the first, which keep their inputs alone.
    private bool IsFirst => _doubles.Count + _singles.Count < _blocks;

    /// <summary>Whether the way back is written out for all that lies over a network's blocks, where no gradient goes through what modulates them.</summary>
    public static bool Writes(FluxTransformer network) => network.Doubles.All(Writes) && network.Singles.All(Writes);

    /// <summary>The block over both streams, without a graph where it is one of the first.</summary>
    public (Tensor Image, Tensor Text) Run(DoubleStreamBlock block, Tensor image, Tensor text)
    {
        if (_begin.Count == 0)
        {
            _begin.AddRange([Kept(image), Kept(text)]);
            _textTokens = text.shape[1];
        }
        if (!IsLeft && !IsFirst && !_written)
        {
            _leaves.AddRange([Leaf(image), Leaf(text)]);
            (image, text) = (_leaves[0].alias(), _leaves[1].alias());
        }
        if (IsLeft)
        {
            return Forward(block, image, text);
        }
        DoubleStreamGraph? graph = IsFirst ? null : GraphOf(block);
        _doubles.Add((Detached(image), Detached(text), graph));
        using IDisposable noGrad = NoGraph(block);
        return graph?.Forward(image, text) ?? Forward(block, image, text);
    }

    /// <summary>The block over the joined stream, likewise.</summary>
    public Tensor Run(SingleStreamBlock block, Tensor joined, long textTokens)
    {
        if (_begin.Count == 0)
        {
            _begin.Add(Kept(joined));
        }
        _textTokens = textTokens;
        if (!IsLeft && !IsFirst && !_written)
        {
            joined = Leave(joined);
        }
        if (IsLeft)
        {
            return Forward(block, joined);
        }
        SingleStreamGraph? graph = IsFirst ? null : GraphOf(block);
        _singles.Add((Detached(joined), graph));
        using IDisposable noGrad = NoGraph(block);
        return graph?.Forward(joined) ?? Forward(block, joined);
    }

    /// <summary>The joined stream after the last block, with a graph from here on.</summary>
    public Tensor End(Tensor joined) => IsLeft ? joined : Leave(joined);

    /// <summary>Runs the blocks again from the last one to the first, and adds to the gradients of all that learns. Each tape goes back once.</summary>
    /// <param name="network">The network of the pass, whose gradients behind the blocks that keep no graph are there.</param>
    /// <param name="isBack">Called with a block's name when its gradients are there, where all blocks' way back is written out; null is nobody.</param>
    public void Backward(FluxTransformer network, Action<string>? isBack = null)
    {
        isBack = _written ? isBack : null;
        using DisposeScope scope = NewDisposeScope();
        if (!IsLeft || _leaves.Any(l => l.grad is null))
        {
            // The pass was not finished, or the loss does not depend on it.
            return;
        }
        Tensor[] gradients = [.. _leaves.Select(l => l.grad!)];
        (int singles, int doubles) = (_singles.Count, _doubles.Count);
        foreach ((SingleStreamBlock block, (Tensor Joined, SingleStreamGraph? Graph) kept) in
            (network.Residency?.SinglesBackwards ?? network.Singles.Reverse()).Skip(Unrecorded(network.Singles.Count, _singles.Count)).Zip(Backwards(_singles)))
        {
            // The input goes with the gradient of what came of it: the gradients of the adapters take its place.
            using Tensor after = gradients[0], before = kept.Joined;
            gradients = [Back(block, before, kept.Graph, after)];
            isBack?.Invoke($"single_transformer_blocks.{--singles}");
        }
        if (gradients.Length == 1 && _doubles.Count > 0)
        {
            Tensor joined = gradients[0];
            gradients = [joined.narrow(1, _textTokens, joined.shape[1] - _textTokens), joined.narrow(1, 0, _textTokens)];
        }
        foreach ((DoubleStreamBlock block, (Tensor Image, Tensor Text, DoubleStreamGraph? Graph) kept) in
            (network.Residency?.DoublesBackwards ?? network.Doubles.Reverse()).Skip(Unrecorded(network.Doubles.Count, _doubles.Count)).Zip(Backwards(_doubles)))
        {
            using Tensor image = gradients[0], text = gradients[1], imageBefore = kept.Image, textBefore = kept.Text;
            gradients = Back(block, (imageBefore, textBefore), kept.Graph, image, text);
            isBack?.Invoke($"transformer_blocks.{--doubles}");
        }
        (Tensor Tensor, Tensor Gradient)[] first = [.. _begin.Zip(gradients).Where(p => p.First.requires_grad)];
        if (_vec.requires_grad && _vecLeaf.grad is { } ofVec)
        {
            first = [.. first, (_vec, ofVec)];
        }
        if (first.Length > 0)
        {
            using IDisposable grad = enable_grad();
            autograd.backward([.. first.Select(b => b.Tensor)], [.. first.Select(b => b.Gradient)]);
        }
    }

    /// <summary>Frees all that was kept.</summary>
    public void Dispose()
    {
        Modulations.Dispose();
        foreach ((Tensor image, Tensor text, DoubleStreamGraph? graph) in _doubles)
        {
            image.Dispose();
            text.Dispose();
            graph?.Dispose();
        }
        foreach ((Tensor joined, SingleStreamGraph? graph) in _singles)
        {
            joined.Dispose();
            graph?.Dispose();
        }
        foreach (Tensor tensor in _begin.Concat(_leaves).Concat(_modulated.Values.SelectMany(m => m).SelectMany(m => m.Tensors)))
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

    private static bool Writes(DoubleStreamBlock block) => Writes(block, block.ImageModulation, block.TextModulation);

    private static bool Writes(SingleStreamBlock block) => Writes(block, block.Modulation);

    // Only factors over frozen layers learn, and nobody looks at the stream.
    private static bool Writes(FluxBlock block, params Modulation[] modulations) =>
        block.Shown is null && modulations.All(m => m.Linear.IsPlain) && LinearGraph.Suits(block.Large.SelectMany(l => l))
        && block.parameters().All(p => !p.requires_grad);

    private Tensor Back(SingleStreamBlock block, Tensor joined, SingleStreamGraph? kept, Tensor gradient)
    {
        if (!_written)
        {
            return PlainGradient.Of([joined], streams => [Forward(block, streams[0])], [gradient])[0];
        }
        using IDisposable noGrad = no_grad();
        // What a block has kept goes as soon as it is not needed any more.
        using SingleStreamGraph graph = kept ?? GraphOf(block);
        if (kept is null)
        {
            graph.Forward(joined, wanted: false);
        }
        return graph.Backward(gradient);
    }

    private Tensor[] Back(DoubleStreamBlock block, (Tensor Image, Tensor Text) streams, DoubleStreamGraph? kept, Tensor image, Tensor text)
    {
        if (!_written)
        {
            return PlainGradient.Of([streams.Image, streams.Text], given =>
            {
                (Tensor one, Tensor other) = Forward(block, given[0], given[1]);
                return [one, other];
            }, [image, text]);
        }
        using IDisposable noGrad = no_grad();
        using DoubleStreamGraph graph = kept ?? GraphOf(block);
        if (kept is null)
        {
            graph.Forward(streams.Image, streams.Text, wanted: false);
        }
        (Tensor ofImage, Tensor ofText) = graph.Backward(image, text);
        return [ofImage, ofText];
    }

    private SingleStreamGraph GraphOf(SingleStreamBlock block) => new(block, KeptOf(block.Modulation)[0], _rotary);

    private DoubleStreamGraph GraphOf(DoubleStreamBlock block) => new(block, KeptOf(block.ImageModulation), KeptOf(block.TextModulation), _rotary);

    // Where no gradient goes through them: for the pass and for the way back.
    private Modulated[] KeptOf(Modulation modulation)
    {
        if (!_modulated.TryGetValue(modulation, out Modulated[]? parts))
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            parts = Modulations.Of(modulation, 0, null);
            foreach (Tensor part in parts.SelectMany(p => p.Tensors))
            {
                part.DetachFromDisposeScope();
            }
            _modulated.Add(modulation, parts);
        }
        return parts;
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
