using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using Dsd.Models.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Training.Optimizers;

/// <summary>
/// AdamW whose two means are kept in eight bits (after Dettmers et al. 2022): two bytes of state for each number, and 1 / 32 of one for scales.
/// </summary>
/// <remarks>
/// 256 numbers of one parameter share a scale, their largest magnitude. The mean's codes are −127 … 127 and stand for <c>±(c / 127)²</c>, the square's
/// 0 … 255 for <c>(c / 255)⁴</c>, so that numbers far below the largest still have codes. A step changes a mean of squares by a thousandth, less than
/// lies between two codes, and rounding to the nearest would hold it fast for ever. So a number is rounded up as often as it lies near the code above, by
/// a hash of its place and the step: the mean is right, and a resumed run gives the same. A square that is not
/// zero never becomes zero, since the step is divided by its root.
/// </remarks>
public sealed class EightBitAdamW : Optimizer
{
    private const int Block = 256;
    private readonly EightBitAdamWOptions _options;
    private readonly Tensor _mean; // [numbers], int8
    private readonly Tensor _meanScale; // [blocks]
    private readonly Tensor _square; // [numbers], uint8
    private readonly Tensor _squareScale; // [blocks]
    private readonly Tensor _places; // [longest piece], int32: a key for each

    /// <summary>An optimiser at step 0.</summary>
    /// <param name="parameters">What is trained, all on one device, at least one.</param>
    /// <param name="options">Settings for the run.</param>
    /// <param name="replicas">The same parameters on other devices, as for <see cref="AdamW"/>.</param>
    /// <exception cref="ArgumentException">There is no parameter, or a replica has others.</exception>
    public EightBitAdamW(IEnumerable<Parameter> parameters, EightBitAdamWOptions options, IEnumerable<IEnumerable<Parameter>>? replicas = null)
        : base(parameters, options, replicas, Block)
    {
        _options = options;
        _mean = NewState(StateLength, ScalarType.Int8);
        _meanScale = NewState(StateLength / Block);
        _square = NewState(StateLength, ScalarType.Byte);
        _squareScale = NewState(StateLength / Block);
        using DisposeScope scope = NewDisposeScope();
        _places = TensorHash.Places(LongestPiece, key: 0, StateDevice).DetachFromDisposeScope();
    }

    private protected override IEnumerable<(string Name, Tensor Tensor)> Moments() =>
        [("mean_code", _mean), ("mean_scale", _meanScale), ("square_code", _square), ("square_scale", _squareScale)];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _places.Dispose();
        }
    }

    private protected override KernelStep? Kernel => Launch;

    private void Launch(GradientSpan at, int piece, long place, long start, double learningRate) =>
        OptimizerKernels.AdamWOfEightBits(
            StateDevice,
            at,
            (TensorMemory.Address(_mean) + start, TensorMemory.Address(_meanScale) + (4 * (start / Block))),
            (TensorMemory.Address(_square) + start, TensorMemory.Address(_squareScale) + (4 * (start / Block))),
            TensorMemory.Address(_places) + (4 * place),
            KeyOf(piece),
            NumbersOf(learningRate));

    private AdamWStep NumbersOf(double learningRate) =>
        AdamWStep.Of(learningRate, _options.WeightDecay, _options.Beta1, _options.Beta2, _options.Epsilon, Steps);

    private protected override void Update(Tensor weights, Tensor gradient, int piece, long start, double learningRate)
    {
        long count = weights.numel();
        Tensor meanCode = _mean.narrow(0, start, count);
        Tensor meanScale = _meanScale.narrow(0, start / Block, count / Block);
        Tensor squareCode = _square.narrow(0, start, count);
        Tensor squareScale = _squareScale.narrow(0, start / Block, count / Block);

        AdamWStep step = NumbersOf(learningRate);
        Tensor mean = Mean(meanCode, meanScale).MultiplyInPlace(_options.Beta1).AddInPlace(gradient, 1 - _options.Beta1);
        Tensor square = Square(squareCode, squareScale).MultiplyInPlace(_options.Beta2).AddProductInPlace(gradient, gradient, 1 - _options.Beta2);
        using (NewDisposeScope())
        {
            Tensor root = square.sqrt().DivideInPlace(step.Root).AddInPlace(step.Epsilon);
            weights.MultiplyInPlace(step.Decay).AddQuotientInPlace(mean, root, -step.Size);
        }
        Tensor threshold = Thresholds(count, piece);
        KeepMean(mean, threshold, meanCode, meanScale);
        KeepSquare(square, threshold, squareCode, squareScale);
    }

    private int KeyOf(int piece) => (int)TensorHash.Mix(((ulong)Steps << 20) + (ulong)piece);

    /// <summary>Numbers in 0…1 [count], other ones at each step.</summary>
    private Tensor Thresholds(long count, int piece)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor hash = TensorHash.Mix(_places.narrow(0, 0, count).bitwise_xor(tensor(KeyOf(piece), device: StateDevice)));
        // As many bits as a float32 holds.
        return hash.bitwise_and_(tensor(0xFFFFFF, device: StateDevice)).to(ScalarType.Float32).MultiplyInPlace(1.0 / (1 << 24)).MoveToOuterDisposeScope();
    }

    private static Tensor Mean(Tensor code, Tensor scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor c = code.to(ScalarType.Float32).DivideInPlace(127);
        return (c * c.abs()).view(-1, Block).mul_(scale.unsqueeze(1)).view(-1).MoveToOuterDisposeScope();
    }

    private static Tensor Square(Tensor code, Tensor scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor c = code.to(ScalarType.Float32).DivideInPlace(255).Squared();
        return c.mul_(c).view(-1, Block).mul_(scale.unsqueeze(1)).view(-1).MoveToOuterDisposeScope();
    }

    private static void KeepMean(Tensor mean, Tensor threshold, Tensor code, Tensor scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor share = Shares(mean.abs(), scale).MultiplyInPlace(127.0 * 127); // the code's square
        Tensor low = share.sqrt().floor_();
        // Between two codes c and c + 1 the values c² and (c + 1)² stand for.
        Tensor up = (share - low * low).div_(low.Times(2).Plus(1)).greater(threshold);
        code.copy_(low.AddInPlace(up).ClampInPlace(0, 127).mul_(mean.sign()));
    }

    private static void KeepSquare(Tensor square, Tensor threshold, Tensor code, Tensor scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor share = Shares(square, scale).MultiplyInPlace(255.0 * 255 * 255 * 255); // the code's fourth power
        Tensor low = share.sqrt().sqrt_().floor_();
        Tensor below = low.Squared();
        below.mul_(below);
        Tensor above = low.Plus(1).Squared();
        above.mul_(above).sub_(below);
        Tensor up = share.sub_(below).div_(above).greater(threshold);
        code.copy_(low.AddInPlace(up).ClampInPlace(0, 255).maximum(square.greater(tensor(0f)).to(ScalarType.Float32)));
    }

    /// <summary>Magnitudes as shares of the largest in their block, which becomes the scale.</summary>
    private static Tensor Shares(Tensor magnitudes, Tensor scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor blocks = magnitudes.view(-1, Block);
        Tensor largest = blocks.amax([1]); // [blocks]
        scale.copy_(largest);
        return (blocks / largest.AtLeast(1e-38).unsqueeze(1)).view(-1).MoveToOuterDisposeScope();
    }
}
