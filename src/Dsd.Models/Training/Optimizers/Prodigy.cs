using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Optimizers;

/// <summary>
/// Prodigy (Mishchenko and Defazio 2023, algorithm 4, with decoupled weight decay): Adam whose steps are multiplied by an estimate of the distance
/// from the first weights to a solution. Sixteen bytes of state for each number.
/// </summary>
public sealed class Prodigy : Optimizer
{
    private readonly ProdigyOptions _options;
    private readonly Tensor _mean;
    private readonly Tensor _square;
    private readonly Tensor _sum; // s: of gradients
    private readonly Tensor _first; // the weights at step 0
    // On the device, in double precision, so that no step waits for them.
    private readonly Tensor _distance; // d
    private readonly Tensor _product; // r: of gradients and the way so far
    private readonly Tensor _stepProduct;
    private readonly Tensor _stepNorm;

    /// <summary>An optimiser at step 0.</summary>
    /// <param name="parameters">What is trained, all on one device, at least one.</param>
    /// <param name="options">Settings for the run.</param>
    /// <param name="replicas">The same parameters on other devices, as for <see cref="AdamW"/>.</param>
    /// <exception cref="ArgumentException">There is no parameter, or a replica has others.</exception>
    public Prodigy(IEnumerable<Parameter> parameters, ProdigyOptions options, IEnumerable<IEnumerable<Parameter>>? replicas = null)
        : base(parameters, options, replicas)
    {
        _options = options;
        _mean = NewState(StateLength);
        _square = NewState(StateLength);
        _sum = NewState(StateLength);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        _first = NewState(StateLength);
        _first.copy_(cat(Weights.ToArray()));
        _distance = Scalar(options.InitialDistance);
        _product = Scalar(0);
        _stepProduct = Scalar(0);
        _stepNorm = Scalar(0);
    }

    /// <summary>The estimate of the distance, which only grows.</summary>
    public double Distance => _distance.item<double>();

    private protected override IEnumerable<(string Name, Tensor Tensor)> Moments() =>
    [
        ("mean", _mean), ("square", _square), ("sum", _sum), ("first", _first), ("distance", _distance), ("product", _product),
    ];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _stepProduct.Dispose();
            _stepNorm.Dispose();
        }
    }

    private protected override void Update(Tensor weights, Tensor gradient, int piece, long start, double learningRate)
    {
        long count = weights.numel();
        Tensor mean = _mean.narrow(0, start, count);
        Tensor square = _square.narrow(0, start, count);
        Tensor sum = _sum.narrow(0, start, count);
        Tensor way = _first.narrow(0, start, count) - weights;
        Tensor scaled = gradient * _distance;
        _stepProduct.AddInPlace(way.mul_(gradient).sum(ScalarType.Float64));
        mean.MultiplyInPlace(_options.Beta1).AddInPlace(scaled, 1 - _options.Beta1);
        square.MultiplyInPlace(_options.Beta2).AddProductInPlace(scaled, scaled, 1 - _options.Beta2);
        double beta3 = Math.Sqrt(_options.Beta2);
        sum.MultiplyInPlace(beta3).AddInPlace(scaled.mul_(_distance), (1 - beta3) * learningRate);
        _stepNorm.AddInPlace(sum.abs().sum(ScalarType.Float64));
        weights.mul_((-_distance.Times(learningRate * _options.WeightDecay)).Plus(1));
        weights.sub_((mean / square.sqrt().AddInPlace(_distance.Times(_options.Epsilon))).mul_(_distance.Times(learningRate)));
    }

    private protected override void Finish(double learningRate)
    {
        double beta3 = Math.Sqrt(_options.Beta2);
        _product.MultiplyInPlace(beta3).AddInPlace((_distance * _distance * _stepProduct).Times((1 - beta3) * learningRate));
        // No gradient so far is no estimate either.
        Tensor estimate = _product.Times(_options.DistanceFactor) / _stepNorm.AtLeast(1e-300);
        _distance.copy_(maximum(_distance, estimate));
        _stepProduct.zero_();
        _stepNorm.zero_();
    }

    private Tensor Scalar(double value) => tensor(value, ScalarType.Float64, StateDevice).DetachFromDisposeScope();
}
