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
    private Tensor? _weight;
    private Tensor? _low;

    private bool IsAdapted => _pairs.Any(p => p is not null);

    /// <summary>Whether the way back is written for what lies over these layers.</summary>
    public static bool Suits(IEnumerable<AdaptableLinear> layers) =>
        layers.All(l => l.Replacement is null && (l.Adapters.Count == 0 || (l.Adapters.Count == 1 && l.Adapters[0] is LoraPair { Dropout: null or { Step: null } })));

    /// <summary>What all layers give for x [rows, inputs], side by side: [rows, outputs of all].</summary>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        LinearWeights all = Weights();
        _weight = all.Weight.alias().DetachFromDisposeScope();
        Tensor y = MatrixProduct.Suits(x, all.Weight) ? MatrixProduct.Linear(x, all.Weight, all.Bias) : functional.linear(x, all.Weight, all.Bias);
        if (IsAdapted)
        {
            _low = Low(x, Down(x.dtype)).DetachFromDisposeScope();
            foreach ((LoraPair pair, long output, long rank, int i) in Places())
            {
                y.narrow(1, output, _outputs[i]).addmm_(_low.narrow(1, rank, pair.A.shape[0]), pair.B.to(x.dtype).t(), 1, pair.Scale);
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
        Tensor weight = _weight ?? Weights().Weight;
        Tensor ofX = addTo is null ? mm(gradient, weight) : addTo.addmm_(gradient, weight, 1, 1);
        if (IsAdapted)
        {
            Tensor down = Down(x.dtype);
            Tensor low = _low ?? Low(x, down);
            Tensor ofLow = empty_like(low);
            foreach ((LoraPair pair, long output, long rank, int i) in Places())
            {
                Tensor given = gradient.narrow(1, output, _outputs[i]);
                ofLow.narrow(1, rank, pair.A.shape[0]).addmm_(given, pair.B.to(x.dtype), 0, pair.Scale);
                Tensor ofB = empty(pair.B.shape, x.dtype, x.device).addmm_(given.t(), low.narrow(1, rank, pair.A.shape[0]), 0, pair.Scale);
                Learn(pair.B, ofB);
            }
            ofX.addmm_(ofLow, down, 1, 1);
            Tensor ofDown = mm(ofLow.t(), x);
            foreach ((LoraPair pair, _, long rank, _) in Places())
            {
                Learn(pair.A, ofDown.narrow(0, rank, pair.A.shape[0]));
            }
        }
        return addTo ?? ofX.MoveToOuterDisposeScope();
    }

    /// <summary>Frees what was kept.</summary>
    public void Dispose()
    {
        _weight?.Dispose();
        _low?.Dispose();
    }

    // All at once, since a larger product uses a GPU better: [rows, all ranks].
    private static Tensor Low(Tensor x, Tensor down) => mm(x, down.t());

    private static void Learn(Parameter parameter, Tensor gradient)
    {
        if (parameter.grad is { } before)
        {
            before.add_(gradient);
        }
        else
        {
            parameter.grad = gradient.to(parameter.dtype, copy: true);
        }
    }

    /// <summary>The factors that take x, one below the other: [all ranks, inputs].</summary>
    private Tensor Down(ScalarType type)
    {
        Tensor[] all = [.. _pairs.Where(p => p is not null).Select(p => p!.A.detach())];
        return (all.Length == 1 ? all[0] : cat(all)).to(type);
    }

    /// <summary>Each pair, with the places of its outputs and ranks among all.</summary>
    private IEnumerable<(LoraPair Pair, long Output, long Rank, int Layer)> Places()
    {
        (long output, long rank) = (0, 0);
        for (int i = 0; i < _pairs.Length; i++)
        {
            if (_pairs[i] is { } pair)
            {
                yield return (pair, output, rank, i);
                rank += pair.A.shape[0];
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
}
