using Dsd.Models.Acceleration;
using Dsd.Models.Lora;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

/// <summary>
/// Frozen linear layers that take one input, with at most one pair of factors over each: a pass, and the way back written out. torch would keep and
/// run a dozen small operations for each pair; here each layer has five matrix products on the way back and nothing else.
/// </summary>
/// <param name="layers">Layers of one number of inputs.</param>
internal sealed class LinearGraph(params AdaptableLinear[] layers) : IDisposable
{
    private readonly long[] _outputs = [.. layers.Select(l => l.Bias.shape[0])];
    private readonly LoraPair?[] _pairs = [.. layers.Select(l => l.Adapters.Count == 0 ? null : (LoraPair)l.Adapters[0])];
    private readonly List<Tensor> _ups = []; // factors B in the type of x, [outputs, rank], in the order of the layers that have one
    private Tensor? _weight; // [outputs of all, inputs]
    private Tensor? _down; // factors A in the type of x, one below the other: [all ranks, inputs]
    private Tensor? _low; // what they gave for x: [rows, all ranks]

    /// <summary>Whether the way back is written for what lies over these layers.</summary>
    public static bool Suits(IEnumerable<AdaptableLinear> layers) =>
        layers.All(l => l.Replacement is null && l.Adapters.All(a => a is LoraPair { Dropout: null or { Step: null } }) && l.Adapters.Count <= 1);

    /// <summary>What all layers give for x [rows, inputs], side by side: [rows, outputs of all].</summary>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        LinearWeights all = Prepare(x.dtype);
        Tensor y = MatrixProduct.Suits(x, all.Weight) ? MatrixProduct.Linear(x, all.Weight, all.Bias) : functional.linear(x, all.Weight, all.Bias);
        if (_down is not null)
        {
            // One product for all of them, since a larger one uses a GPU better.
            _low = functional.linear(x, _down).DetachFromDisposeScope();
            foreach ((LoraPair pair, Tensor up, Part output, Part rank) in Places())
            {
                output.Of(y, 1).addmm_(rank.Of(_low, 1), up.t(), 1, pair.Scale);
            }
        }
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>Adds to the gradients of the factors, and gives that of x.</summary>
    /// <param name="x">What the layers were given: [rows, inputs].</param>
    /// <param name="gradient">Of what they gave: [rows, outputs of all].</param>
    /// <param name="addTo">A gradient [rows, inputs] that it is added to, in place. Null makes a new one.</param>
    public Tensor Backward(Tensor x, Tensor gradient, Tensor? addTo = null)
    {
        using DisposeScope scope = NewDisposeScope();
        if (_weight is null)
        {
            Prepare(x.dtype);
        }
        Tensor ofX = addTo is null ? mm(gradient, _weight!) : addTo.addmm_(gradient, _weight!, 1, 1);
        if (_down is not null)
        {
            Tensor low = _low ?? functional.linear(x, _down);
            Tensor ofLow = empty_like(low);
            foreach ((LoraPair pair, Tensor up, Part output, Part rank) in Places())
            {
                Tensor given = output.Of(gradient, 1);
                rank.Of(ofLow, 1).addmm_(given, up, 0, pair.Scale);
                Learn(pair.B, Scaled(given.t(), rank.Of(low, 1), pair.Scale));
            }
            ofX.addmm_(ofLow, _down, 1, 1);
            Tensor ofDown = mm(ofLow.t(), x);
            foreach ((LoraPair pair, _, _, Part rank) in Places())
            {
                Learn(pair.A, rank.Of(ofDown, 0));
            }
        }
        return addTo ?? ofX.MoveToOuterDisposeScope();
    }

    /// <summary>Frees what was kept.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _ups)
        {
            tensor.Dispose();
        }
        _weight?.Dispose();
        _down?.Dispose();
        _low?.Dispose();
    }

    private static Tensor Scaled(Tensor x, Tensor y, float scale) =>
        scale == 1 ? mm(x, y) : empty([x.shape[0], y.shape[1]], x.dtype, x.device).addmm_(x, y, 0, scale);

    private static void Learn(Parameter parameter, Tensor gradient)
    {
        if (parameter.grad is { } before)
        {
            before.AddInPlace(gradient);
        }
        else
        {
            parameter.grad = gradient.to(parameter.dtype, copy: true);
        }
    }

    // The weights, and the factors rounded: once for the pass and the way back.
    private LinearWeights Prepare(ScalarType type)
    {
        LinearWeights all = Weights();
        _weight = all.Weight.alias().DetachFromDisposeScope();
        List<Tensor> downs = [];
        foreach (LoraPair pair in _pairs.OfType<LoraPair>())
        {
            downs.Add(pair.A);
            // Where nothing is rounded, it is the parameter itself, which stays its owner's.
            _ups.Add((pair.B.dtype == type ? pair.B.alias() : pair.B.to(type)).DetachFromDisposeScope());
        }
        if (downs.Count > 0)
        {
            Tensor down = downs.Count == 1 ? downs[0] : cat(downs);
            _down = (down.dtype == type ? down.alias() : down.to(type)).DetachFromDisposeScope();
        }
        return all;
    }

    /// <summary>Each pair, with the places of its outputs and ranks among all.</summary>
    private IEnumerable<(LoraPair Pair, Tensor Up, Part Output, Part Rank)> Places()
    {
        bool one = _pairs.Length == 1;
        (long output, long rank, int adapted) = (0, 0, 0);
        for (int i = 0; i < _pairs.Length; i++)
        {
            if (_pairs[i] is { } pair)
            {
                long own = pair.A.size(0);
                yield return (pair, _ups[adapted++], new Part(output, _outputs[i], one), new Part(rank, own, one));
                rank += own;
            }
            output += _outputs[i];
        }
    }

    private LinearWeights Weights()
    {
        if (layers.Length > 1 && !EndToEnd.Lie(layers))
        {
            LinearWeights[] each = [.. layers.Select(l => l.Own.Widened())];
            return new LinearWeights(cat([.. each.Select(w => w.Weight)]), cat([.. each.Select(w => w.Bias)]), null);
        }
        return (layers.Length == 1 ? layers[0].Own : EndToEnd.Joined(layers[0], _outputs.Sum())).Widened();
    }

    /// <summary>A part of a dimension, which may be all of it.</summary>
    private readonly record struct Part(long Start, long Length, bool IsAll)
    {
        public Tensor Of(Tensor tensor, long dimension) => IsAll ? tensor : tensor.narrow(dimension, Start, Length);
    }
}
