using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Models.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter 2019): eight bytes of state for each number.</summary>
public sealed class AdamW : Optimizer
{
    private readonly AdamWOptions _options;
    private readonly Tensor _mean;
    private readonly Tensor _square;

    /// <summary>An optimiser at step 0.</summary>
    /// <param name="parameters">What is trained, all on one device, at least one.</param>
    /// <param name="options">Settings for the run.</param>
    /// <param name="replicas">
    /// The same parameters on other devices, each list in the same order: gradients are averaged over all, and all get the same weights,
    /// the first ones' at once.
    /// </param>
    /// <exception cref="ArgumentException">There is no parameter, or a replica has others.</exception>
    public AdamW(IEnumerable<Parameter> parameters, AdamWOptions options, IEnumerable<IEnumerable<Parameter>>? replicas = null)
        : base(parameters, options, replicas)
    {
        _options = options;
        _mean = NewState(StateLength);
        _square = NewState(StateLength);
    }

    private protected override IEnumerable<(string Name, Tensor Tensor)> Moments() => [("mean", _mean), ("square", _square)];

    private protected override KernelStep? Kernel => Launch;

    private void Launch(GradientSpan at, int piece, long place, long start, double learningRate) =>
        OptimizerKernels.AdamW(
            StateDevice, at, TensorMemory.Address(_mean) + (4 * start), TensorMemory.Address(_square) + (4 * start), NumbersOf(learningRate));

    private AdamWStep NumbersOf(double learningRate) =>
        AdamWStep.Of(learningRate, _options.WeightDecay, _options.Beta1, _options.Beta2, _options.Epsilon, Steps);

    private protected override void Update(Tensor weights, Tensor gradient, int piece, long start, double learningRate)
    {
        Tensor mean = _mean.narrow(0, start, weights.numel());
        Tensor square = _square.narrow(0, start, weights.numel());
        AdamWStep step = NumbersOf(learningRate);
        mean.MultiplyInPlace(_options.Beta1).AddInPlace(gradient, 1 - _options.Beta1);
        square.MultiplyInPlace(_options.Beta2).AddProductInPlace(gradient, gradient, 1 - _options.Beta2);
        Tensor root = square.sqrt().Over(step.Root).AddInPlace(step.Epsilon);
        weights.MultiplyInPlace(step.Decay).AddQuotientInPlace(mean, root, -step.Size);
    }
}
